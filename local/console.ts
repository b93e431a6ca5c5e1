import colors from 'picocolors';
import { orderOf, vmSpec } from './demo/catalog-item.ts';
import { type Consumed, hasReachedRow } from './emulators/dcm/status-history.ts';
import { provider } from './stack/options.ts';
import type { Endpoints } from './stack/start-stack.ts';

export type Console = ReturnType<typeof terminal>;

/** What a person sees of the stack, on a terminal or in a pipe. */
export const terminal = (out: NodeJS.WritableStream) => {
  const startedAtMs = Date.now();
  const line = (text = '') => void out.write(`${text}\n`);
  const timed = (text: string, atMs = Date.now()) =>
    line(`${colors.dim(`${((atMs - startedAtMs) / 1000).toFixed(2).padStart(6)} s`)}  ${text}`);

  return {
    line,
    progress: (part: string, text: string) => timed(colors.dim(`${part}: ${text}`)),
    scene: (text: string) => timed(colors.bold(text)),

    ready(endpoints: Endpoints) {
      timed(`${colors.green('ready')}${colors.dim(', everything answers (.local/endpoints.json):')}`);
      for (const [name, url] of Object.entries(endpoints).filter(([, value]) => value !== ''))
        line(`          ${colors.dim(name.padEnd(20))} ${url}`);
    },

    /** What a newcomer can do next. */
    invitation(endpoints: Endpoints) {
      line();
      line(
        'Have DCM create a VM, or launch an instance with any EC2 client, and watch its row follow; Ctrl-C ends everything:',
      );
      line();
      for (const text of [...creating(endpoints), '', ...launching(endpoints)]) line(`  ${text}`);
      line();
    },

    /** A row that has followed its instance; `ms` since EC2's change, where that is known. */
    followed(
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
 * Which events a person wants to see: each status of a VM once, not what is published again, and those too that come when DCM has removed
 * the row of a VM that it had.
 */
export const newsOf = (): ((consumed: Consumed) => boolean) => {
  const shown = new Map<string, string>();
  return (consumed) => {
    const { id = '', status = '', message = '', outcome } = consumed;
    const isOfOurs = hasReachedRow(consumed) || (outcome === 'skipped' && shown.has(id));
    const now = `${status} ${message}`;
    if (!isOfOurs || shown.get(id) === now) return false;
    shown.set(id, now);
    return true;
  };
};

const creating = (endpoints: Endpoints): string[] => {
  const { controlPlaneUrl, catalogItemId } = endpoints;
  if (controlPlaneUrl === '') return [];
  const [path, body] =
    catalogItemId === undefined
      ? ['service-type-instances', { provider_name: provider, spec: vmSpec('web-1') }]
      : ['catalog-item-instances', orderOf('web-1')];
  return [
    `curl -X POST ${controlPlaneUrl}/api/v1alpha1/${path} -H 'content-type: application/json' \\`,
    `  -d '${JSON.stringify(body)}'`,
  ];
};

const launching = ({ ec2Url }: Endpoints): string[] => [
  'AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local aws ec2 run-instances --region us-east-1 \\',
  `  --endpoint-url ${ec2Url} --image-id ami-0123456789abcdef0 --instance-type t3.micro \\`,
  "  --tag-specifications 'ResourceType=instance,Tags=[{Key=managed-by,Value=dcm},{Key=dcm-instance-id,Value=vm-1}]'",
];

const tint = (status: string) => {
  if (status === 'running') return colors.green;
  if (status === 'failed') return colors.red;
  return status === 'stopped' || status === 'deleted' ? colors.gray : colors.yellow;
};
