import { AwsClient } from 'aws4fetch';
import { reasonOf, UnavailableError } from '../../core/errors.ts';
import type { Target } from '../../core/target.ts';
import { refusesCaller } from './errors.ts';
import { partitionOf } from './regions.ts';

type Credentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
};

export type SignedCallParts = {
  /** For calls in a target, renewed before they expire. */
  readonly credentials: (target: Target) => Promise<Credentials>;
  /** Is told where the target's account seems to have refused them. */
  readonly refused?: (target: Target) => void;
  /** Undefined: the region's own. */
  readonly endpoint: string | undefined;
  /** @default 2,000 */
  readonly timeoutMs?: number;
};

type Call = {
  /** As in the host name of its endpoints: `ec2`. */
  readonly service: string;
  readonly target: Target;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

/** The HTTP statuses of credentials that are not accepted, by the protocols of the services. */
const refusals: readonly number[] = [400, 401, 403];

type Answer = { readonly status: number; readonly text: string };

/**
 * One call of an AWS service without its SDK client, whose loading takes longer than a health check may. Not retried, but where the session
 * in another account is refused it is called in a new one: an administrator may have ended the old one.
 * @returns the answer, whatever its status. @throws UnavailableError, whose reason may be shown publicly, where there is none.
 */
export const signedCall = ({ credentials, refused, endpoint, timeoutMs = 2_000 }: SignedCallParts) => {
  const worked = new WeakSet<Credentials>();

  const send = async ({ service, target, path, ...request }: Call, by: Credentials): Promise<Answer> => {
    const { accessKeyId, secretAccessKey, sessionToken } = by;
    const { region } = target;
    const identity = { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
    const client = new AwsClient({ ...identity, service, region, retries: 0 });
    const base = endpoint ?? `https://${service}.${region}.${partitionOf(region).dnsSuffix}`;
    return client
      .fetch(`${base.replace(/\/$/, '')}${path}`, { ...request, signal: AbortSignal.timeout(timeoutMs) })
      .then(async (response) => {
        if (refusals.includes(response.status)) refused?.(target);
        else worked.add(by);
        return { status: response.status, text: await response.text() };
      })
      .catch((cause: unknown) => {
        const why = cause instanceof TypeError ? 'no connection' : reasonOf(cause);
        const name = service.toUpperCase();
        throw new UnavailableError(`${name} in ${region} does not answer: ${why}`, { cause });
      });
  };

  return async (call: Call): Promise<Answer> => {
    const by = await credentials(call.target);
    const answer = await send(call, by);
    const isRefused = refusals.includes(answer.status) && refusesCaller(answer.text);
    if (call.target.account === undefined || !isRefused || !worked.has(by)) return answer;
    return send(call, await credentials(call.target));
  };
};
