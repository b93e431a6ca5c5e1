import type { ServiceType } from '../../shared/core/kind.ts';

/** A spec as DCM sends it to a provider. */
export type DemoSpec = Readonly<Record<string, unknown>> & { readonly service_type: ServiceType };

export const vmSpec = (name: string) => ({
  service_type: 'vm' as const,
  metadata: { name },
  vcpu: { count: 2 },
  memory: { size: '4GB' },
  storage: { disks: [{ name: 'boot', capacity: '20GB' }] },
  guest_os: { type: 'amazon-linux-2023' },
});

/** A web server, unless another image or command is given. */
export const containerSpec = (name: string, { image = webServer, command }: ContainerChoice = {}) => ({
  service_type: 'container' as const,
  metadata: { name },
  image: { reference: image },
  resources: { cpu: { min: '250m', max: '500m' }, memory: { min: '256MB', max: '512MB' } },
  ...(command && { process: { command } }),
  network: { ports: [{ container_port: 80, visibility: 'internal' }] },
});
type ContainerChoice = { readonly image?: string; readonly command?: readonly string[] };
const webServer = 'docker.io/library/nginx:alpine';

/** A cluster without workers of its own: Amazon EKS adds nodes as pods need them. */
export const clusterSpec = (name: string) => ({
  service_type: 'cluster' as const,
  metadata: { name },
  version: '1.34',
});

type Item = {
  readonly id: string;
  readonly displayName: string;
  /** A resource of the item, with the values that a user may replace. */
  readonly example: DemoSpec;
  /** The display names of the fields that a user may set, by their paths in the spec. */
  readonly fields: Readonly<Record<string, string>>;
};

const name = { 'metadata.name': 'Name' } as const;
const items: Readonly<Record<ServiceType, Item>> = {
  vm: {
    id: 'ec2-vm',
    displayName: 'VM on Amazon EC2',
    example: vmSpec('vm'),
    fields: {
      ...name,
      'vcpu.count': 'vCPUs',
      'memory.size': 'Memory',
      'storage.disks': 'Disks',
      'guest_os.type': 'Operating system',
    },
  },
  container: {
    id: 'ecs-container',
    displayName: 'Container on Amazon ECS',
    example: containerSpec('container'),
    fields: {
      ...name,
      'image.reference': 'Image',
      'resources.cpu': 'CPUs',
      'resources.memory': 'Memory',
      'process.command': 'Command',
      'network.ports': 'Ports',
    },
  },
  cluster: {
    id: 'eks-cluster',
    displayName: 'Kubernetes cluster on Amazon EKS',
    example: clusterSpec('cluster'),
    fields: { ...name, version: 'Kubernetes version' },
  },
};

/** Id of the catalog item for one resource of the type; `npm start` posts it. `alias`: of another account than the home account. */
export const catalogItemIdOf = (serviceType: ServiceType, alias?: string): string =>
  [items[serviceType].id, ...(alias === undefined ? [] : [alias])].join('-');

/** The same item, for `POST /catalog-items`. The resource has the name of its service type; that of another account has a label, which policies see. */
export const catalogItemOf = (serviceType: ServiceType, alias?: string) => {
  const { displayName, example, fields } = items[serviceType];
  const editable = Object.entries(fields).map(([path, display]) => ({
    ...{ path, display_name: display, editable: true, default: valueAt(example, path) },
  }));
  const account = { path: `metadata.labels.${accountLabel}`, display_name: 'Account', default: alias };
  const resource = {
    ...{ name: serviceType, service_type: serviceType },
    fields: alias === undefined ? editable : [...editable, account],
  };
  const shown = alias === undefined ? displayName : `${displayName} (${alias})`;
  return { api_version: 'v1alpha1', display_name: shown, spec: { resources: [resource] } };
};

const accountLabel = 'account';

/** A policy that selects an agent, for `POST /policies`: for everything, or for the orders of another account's items. */
export const policyOf = (agent: string, alias?: string) => ({
  ...{ display_name: `agent ${agent}`, policy_type: 'GLOBAL', priority: alias === undefined ? 100 : 200 },
  ...(alias !== undefined && { label_selector: { [accountLabel]: alias } }),
  rego_code: `package ${agent.replaceAll('-', '_')}\n\nmain := {"selected_agent": "${agent}"}\n`,
});

/** An order of that item, for `POST /catalog-item-instances`, whose user gives each value of the spec that is not the item's own. */
export const orderFor = (spec: DemoSpec, alias?: string) => {
  const { example, fields } = items[spec.service_type];
  const values = Object.keys(fields)
    .map((path) => ({ resource: spec.service_type, path, value: valueAt(spec, path) }))
    .filter(({ path, value }) => JSON.stringify(value) !== JSON.stringify(valueAt(example, path)));
  return {
    api_version: 'v1alpha1',
    display_name: String(valueAt(spec, 'metadata.name')),
    spec: { catalog_item_id: catalogItemIdOf(spec.service_type, alias), user_values: values },
  };
};

const valueAt = (spec: DemoSpec, path: string): unknown =>
  path.split('.').reduce<unknown>((value, step) => Object(value)[step], spec);
