import type { EC2Client } from '@aws-sdk/client-ec2';
import type { AwsAccounts } from '../../../adapters/aws/accounts.ts';
import { callsByTarget } from '../../../adapters/aws/calls.ts';
import type { LogReader } from '../../../ports/logs.ts';

/**
 * The console output of instances: the newest 64 KB, of the last boot or, of `console-latest`, as of now, which EC2 has of Nitro instances
 * alone.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html
 */
export const ec2ConsoleOutput = (accounts?: AwsAccounts): LogReader => {
  const call = callsByTarget({
    name: 'EC2',
    load: () => import('./console-output-sdk.ts'),
    connect: ({ EC2Client: Client }, connection): EC2Client => new Client(connection),
    ...{ timeoutMs: 10_000, accounts },
  });
  return async ({ target, id, stream }) =>
    call(target, `read the console output of ${id}`, async (ec2, client, options) => {
      const Latest = stream === 'console-latest';
      const command = new ec2.GetConsoleOutputCommand({ InstanceId: id, ...(Latest && { Latest }) });
      const { Output = '', Timestamp } = await client.send(command, options);
      return { text: Buffer.from(Output, 'base64').toString(), updatedAt: Timestamp };
    });
};
