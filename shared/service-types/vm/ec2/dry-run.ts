import { AwsClient } from 'aws4fetch';
import { partitionOf } from '../../../adapters/aws/regions.ts';
import { reasonOf, UnavailableError } from '../../../core/errors.ts';
import type { Ec2Probe } from '../../../ports/health-probes.ts';

type Credentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
};

type Parts = {
  /** Of an SDK client, which renews them. */
  readonly credentials: () => Promise<Credentials>;
  /** Undefined: the region's own. */
  readonly endpoint: string | undefined;
  /** @default 2,000 */
  readonly timeoutMs?: number;
};

/** The codes of a healthy EC2: the dry run succeeded, or requests are throttled. */
const healthyCodes: readonly (string | undefined)[] = ['DryRunOperation', 'RequestLimitExceeded'];

/**
 * A dry run of DescribeInstances, of which EC2 checks only the permission. Sent without the SDK's EC2 client, since loading it takes longer than
 * a health check may.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html
 */
export const ec2DryRun =
  ({ credentials, endpoint, timeoutMs = 2_000 }: Parts): Ec2Probe =>
  async ({ region }) => {
    const { accessKeyId, secretAccessKey, sessionToken } = await credentials();
    const identity = { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
    const client = new AwsClient({ ...identity, service: 'ec2', region, retries: 0 });
    const answer = await client
      .fetch(endpoint ?? endpointOf(region), {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
        body: 'Action=DescribeInstances&DryRun=true&Version=2016-11-15',
        signal: AbortSignal.timeout(timeoutMs),
      })
      .then(async (response) => ({ status: response.status, text: await response.text() }))
      .catch((cause: unknown) => {
        const why = `EC2 in ${region} does not answer: ${cause instanceof TypeError ? 'no connection' : reasonOf(cause)}`;
        throw new UnavailableError(why, { cause });
      });
    const code = /<Code>(\w+(?:\.\w+)*)<\/Code>/.exec(answer.text)?.[1];
    if (!healthyCodes.includes(code))
      throw new UnavailableError(
        `EC2 in ${region} answers ${code ?? `HTTP ${answer.status}`} to DescribeInstances`,
      );
  };

const endpointOf = (region: string): string => `https://ec2.${region}.${partitionOf(region).dnsSuffix}/`;
