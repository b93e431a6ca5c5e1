import colors from 'picocolors';
import type { Consumed } from './parts/control-plane/history.ts';
import type { Endpoints } from './stack.ts';

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
      for (const [name, url] of Object.entries(endpoints))
        line(`          ${colors.dim(name.padEnd(20))} ${url}`);
    },

    /** What a newcomer can do next. */
    invitation({ ec2Url }: Endpoints) {
      line();
      line('Launch a VM with any EC2 client and watch its row follow; Ctrl-C ends everything:');
      line();
      line(
        '  AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local aws ec2 run-instances --region us-east-1 \\',
      );
      line(`    --endpoint-url ${ec2Url} --image-id ami-0123456789abcdef0 --instance-type t3.micro \\`);
      line(
        "    --tag-specifications 'ResourceType=instance,Tags=[{Key=managed-by,Value=dcm},{Key=dcm-instance-id,Value=vm-1}]'",
      );
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

const tint = (status: string) => {
  if (status === 'running') return colors.green;
  if (status === 'failed') return colors.red;
  return status === 'stopped' || status === 'deleted' ? colors.gray : colors.yellow;
};
