import * as z from 'zod';
import { action } from '../action.ts';
import { Flag, invalidCombination } from '../query-protocol.ts';

const Request = z.object({ InstanceId: z.string(), Latest: Flag.default(false) });

/** EC2 shows the most recent 64 KB. */
const maximumBytes = 64 * 1024;

/** Types of the Xen generation, which show their console only some time after a start or a stop. */
const isXen = (instanceType: string): boolean => /^(m1|m3|t1|t2)\./.test(instanceType);

/**
 * The console of an instance: what its boots have printed. `Latest`, the console at this moment, is for instances on Nitro alone.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html
 */
export const getConsoleOutput = action(Request, ({ InstanceId: id, Latest }, { account, ...region }) => {
  const [instance] = region.find([id]);
  if (instance === undefined || (Latest && isXen(instance.launch.instanceType)))
    throw invalidCombination(`Latest console output is not supported for the instance ${id}.`);
  const { status } = instance;
  const boots = [status, ...status.before].filter(({ value }) => value.state === 'running').reverse();
  const lines = boots.flatMap(({ atMs }) => [
    '[    0.000000] Linux version 6.1.0 (builder@local)',
    `[    0.512000] ${id} booted at ${new Date(atMs).toISOString()}`,
    'cloud-init[612]: Cloud-init finished.',
    `${id} login: `,
  ]);
  const output = Buffer.from(lines.map((line) => `${line}\r\n`).join('')).subarray(-maximumBytes);
  return () => ({
    instanceId: id,
    timestamp: new Date(account.clock()).toISOString(),
    output: output.length > 0 ? output.toString('base64') : undefined,
  });
});
