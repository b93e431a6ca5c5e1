import { codeOf } from '../../service-types/vm/ec2/errors.ts';
import { regionalCalls } from './calls.ts';

/** What a public parameter of a region holds; undefined where there is no such parameter. */
export type SsmParameters = (region: string, name: string) => Promise<string | undefined>;

/** SSM by its own SDK client. */
export const ssmParameters = (): SsmParameters => {
  const call = regionalCalls({
    name: 'SSM',
    load: () => import('./ssm-sdk.ts'),
    connect: ({ SSMClient }, connection) => new SSMClient(connection),
    timeoutMs: 5_000,
  });
  return (region, name) =>
    call(region, `get parameter ${name}`, async (ssm, client, options) => {
      const command = new ssm.GetParameterCommand({ Name: name });
      const answer = await client.send(command, options).catch((error: unknown) => {
        if (codeOf(error) === 'ParameterNotFound') return undefined;
        throw error;
      });
      return answer?.Parameter?.Value;
    });
};
