/** How the fake provider's resources of a service type live, and what it shows of them. */
export type FakeKind = {
  readonly serviceType: string;
  readonly collection: string;
  readonly spec: Readonly<Record<string, unknown>>;
  /** The statuses of a resource that is started, each half a second after the one before. */
  readonly course: (spec: Readonly<Record<string, unknown>>) => readonly string[];
  /** The outputs of a resource that runs. */
  readonly outputs: object;
  /** What GET shows besides id, path and status. */
  readonly details: (status: string) => object;
  /** What a part of the list shows besides that. */
  readonly listed: object;
  /** Whether the spec has what the service type requires. */
  readonly isSpec: (spec: Readonly<Record<string, unknown>>) => boolean;
};

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const endpoint = { address: '10.0.0.5', port: 22, scope: 'internal' };
const apiEndpoint = 'https://kube.example';

const vm: FakeKind = {
  serviceType: 'vm',
  collection: 'vms',
  spec: { service_type: 'vm', vcpu: { count: 1 }, memory: { size: '1GB' } },
  course: () => ['PROVISIONING', 'RUNNING'],
  outputs: { ip: [endpoint, { ...endpoint, address: '203.0.113.9', scope: 'external' }] },
  details: () => ({}),
  listed: {},
  isSpec: ({ vcpu }) => isObject(vcpu),
};

const container: FakeKind = {
  serviceType: 'container',
  collection: 'containers',
  spec: {
    service_type: 'container',
    image: { reference: 'nginx' },
    network: { ports: [{ container_port: 80, visibility: 'internal' }] },
  },
  course: ({ image, process }) => {
    const [what, command] = [JSON.stringify(image), JSON.stringify(process)];
    if (what.includes('nonexistent')) return ['PENDING', 'FAILED'];
    return command?.includes('false') ? ['PENDING', 'RUNNING', 'FAILED'] : ['PENDING', 'RUNNING'];
  },
  outputs: { endpoints: [{ ...endpoint, port: 80 }] },
  details: () => ({ service: { type: 'ClusterIP', ports: [{ port: 80 }] } }),
  listed: {},
  isSpec: ({ image, service_type: type }) => isObject(image) && type === 'container',
};

const cluster: FakeKind = {
  serviceType: 'cluster',
  collection: 'clusters',
  spec: { service_type: 'cluster', version: '1.34' },
  course: () => ['PROGRESSING', 'ACTIVE'],
  outputs: { api_endpoint: apiEndpoint },
  details: (status) => {
    const config = Buffer.from(`server: ${apiEndpoint}`).toString('base64');
    return status === 'ACTIVE'
      ? { api_endpoint: apiEndpoint, kubeconfig: config }
      : { api_endpoint: '', kubeconfig: '' };
  },
  listed: { kubeconfig: '' },
  isSpec: ({ version, service_type: type }) => version === '1.34' && type === 'cluster',
};

export const fakeKinds = { vm, container, cluster } as const;
export type FakeServiceType = keyof typeof fakeKinds;
