import type { Target } from '../../core/target.ts';
import type { AwsAccounts } from './accounts.ts';
import { callsByTarget } from './calls.ts';
import { codeOf } from './errors.ts';

/** The value of a public parameter; undefined where there is no such parameter. */
export type SsmParameters = (target: Target, name: string) => Promise<string | undefined>;

/** SSM by its SDK client. */
export const ssmParameters = (accounts?: AwsAccounts): SsmParameters => {
  const call = callsByTarget({
    name: 'SSM',
    load: () => import('./ssm-sdk.ts'),
    connect: ({ SSMClient }, connection) => new SSMClient(connection),
    ...{ timeoutMs: 5_000, accounts },
  });
  return (target, name) =>
    call(target, `get parameter ${name}`, async (ssm, client, options) => {
      const command = new ssm.GetParameterCommand({ Name: name });
      const answer = await client.send(command, options).catch((error: unknown) => {
        if (codeOf(error) === 'ParameterNotFound') return undefined;
        throw error;
      });
      return answer?.Parameter?.Value;
    });
};
