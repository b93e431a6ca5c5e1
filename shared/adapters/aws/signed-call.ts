import { AwsClient } from 'aws4fetch';
import { reasonOf, UnavailableError } from '../../core/errors.ts';
import { partitionOf } from './regions.ts';

type Credentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
};

export type SignedCallParts = {
  /** Of an SDK client, which renews them. */
  readonly credentials: () => Promise<Credentials>;
  /** Undefined: the region's own. */
  readonly endpoint: string | undefined;
  /** @default 2,000 */
  readonly timeoutMs?: number;
};

type Call = {
  /** As in the host name of its endpoints: `ec2`. */
  readonly service: string;
  readonly region: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

/**
 * One call of an AWS service without its SDK client, whose loading takes longer than a health check may. Not retried.
 * @returns the answer, whatever its status. @throws UnavailableError, whose reason may be shown publicly, where there is none.
 */
export const signedCall =
  ({ credentials, endpoint, timeoutMs = 2_000 }: SignedCallParts) =>
  async ({ service, region, path, ...request }: Call): Promise<{ status: number; text: string }> => {
    const { accessKeyId, secretAccessKey, sessionToken } = await credentials();
    const identity = { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
    const client = new AwsClient({ ...identity, service, region, retries: 0 });
    const base = endpoint ?? `https://${service}.${region}.${partitionOf(region).dnsSuffix}`;
    return client
      .fetch(`${base.replace(/\/$/, '')}${path}`, { ...request, signal: AbortSignal.timeout(timeoutMs) })
      .then(async (response) => ({ status: response.status, text: await response.text() }))
      .catch((cause: unknown) => {
        const why = cause instanceof TypeError ? 'no connection' : reasonOf(cause);
        const name = service.toUpperCase();
        throw new UnavailableError(`${name} in ${region} does not answer: ${why}`, { cause });
      });
  };
