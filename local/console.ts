import colors from 'picocolors';
import { clusterSpec, containerSpec, type DemoSpec, orderFor, vmSpec } from './demo/catalog-item.ts';
import { providerOf } from './demo/dcm-user.ts';
import { type Consumed, hasReachedRow } from './emulators/dcm/status-history.ts';
import { prod, provider } from './stack/options.ts';
import type { Endpoints } from './stack/start-stack.ts';

export type Console = ReturnType<typeof terminal>;

/** Prints what the stack does, for a person at a terminal. */
export const terminal = (out: NodeJS.WritableStream) => {
  const startedAtMs = Date.now();
  const line = (text = '') => void out.write(`${text}\n`);
  const timed = (text: string, atMs = Date.now()) =>
    line(`${colors.dim(`${((atMs - startedAtMs) / 1000).toFixed(2).padStart(6)} s`)}  ${text}`);

  return {
    line,
    progress: (component: string, text: string) => timed(colors.dim(`${component}: ${text}`)),
    step: (text: string) => timed(colors.bold(text)),

    ready(endpoints: Endpoints) {
      timed(`${colors.green('ready')}${colors.dim(': all addresses, also in .local/endpoints.json:')}`);
      for (const [name, url] of Object.entries(endpoints).filter(([, value]) => value !== ''))
        line(`          ${colors.dim(name.padEnd(20))} ${url}`);
    },

    /** Examples of what to do next. */
    nextSteps(endpoints: Endpoints) {
      line();
      line(
        'Create a VM, a container or a cluster through DCM, or launch an instance with any EC2 client. Its statuses are printed here. Ctrl-C stops everything.',
      );
      line();
      const specs = [vmSpec('web-1'), containerSpec('shop-1'), clusterSpec('kube-1')];
      const examples = specs.flatMap((spec) => createExample(endpoints, spec));
      for (const text of [...examples, '', ...launchExample(endpoints)]) line(`  ${text}`);
      if (endpoints.prodAccessKeyId !== undefined) {
        line();
        line(otherAccountHint(endpoints));
      }
      line();
    },

    /** A status of a resource; `ms` is the time since EC2's change, where it is known. */
    status(
      { id = '', status = '', message = '', appliedAtMs }: Consumed,
      { name = id, ms }: { name?: string; ms?: number } = {},
    ) {
      const latency = ms === undefined ? '' : `${String(ms).padStart(5)} ms  `;
      timed(
        `${name.padEnd(8)}  ${tint(status)(status.toUpperCase().padEnd(12))}  ${latency}${colors.dim(message)}`,
        appliedAtMs,
      );
    },

    good: (text: string) => line(`${colors.green('✓')} ${text}`),
    bad: (text: string) => line(`${colors.red('✗')} ${text}`),
  };
};

/**
 * Selects the events to print: each status of a resource once, without republications. The statuses of one whose row DCM has removed are
 * included, those of an id that never had a row are not.
 */
export const newStatusFilter = (): ((consumed: Consumed) => boolean) => {
  const shown = new Map<string, string>();
  return (consumed) => {
    const { id = '', status = '', message = '', outcome } = consumed;
    const isOfKnownRow = hasReachedRow(consumed) || (outcome === 'skipped' && shown.has(id));
    const current = `${status} ${message}`;
    if (!isOfKnownRow || shown.get(id) === current) return false;
    shown.set(id, current);
    return true;
  };
};

const createExample = (endpoints: Endpoints, spec: DemoSpec): string[] => {
  const { controlPlaneUrl, catalogItemId } = endpoints;
  if (controlPlaneUrl === '') return [];
  const [path, body] =
    catalogItemId === undefined
      ? ['service-type-instances', { provider_name: providerOf(provider, spec.service_type), spec }]
      : ['catalog-item-instances', orderFor(spec)];
  return [
    `curl -X POST ${controlPlaneUrl}/api/v1alpha1/${path} -H 'content-type: application/json' \\`,
    `  -d '${JSON.stringify(body)}'`,
  ];
};

const launchExample = ({ ec2Url }: Endpoints): string[] => [
  'AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local aws ec2 run-instances --region us-east-1 \\',
  `  --endpoint-url ${ec2Url} --image-id ami-0123456789abcdef0 --instance-type t3.micro \\`,
  "  --tag-specifications 'ResourceType=instance,Tags=[{Key=managed-by,Value=dcm},{Key=dcm-instance-id,Value=vm-1}]'",
];

const otherAccountHint = ({ prodAccessKeyId, prodCatalogItemId }: Endpoints): string => {
  const through =
    prodCatalogItemId === undefined
      ? `the provider ${provider}-${prod.alias}-…`
      : `the catalog item ${prodCatalogItemId}`;
  return `The account ${prod.alias} is played too: through DCM by ${through}, for EC2 clients by AWS_ACCESS_KEY_ID=${prodAccessKeyId}.`;
};

const tint = (status: string) => {
  if (['running', 'active', 'succeeded'].includes(status)) return colors.green;
  if (status === 'failed') return colors.red;
  return status === 'stopped' || status === 'deleted' ? colors.gray : colors.yellow;
};
