import { FailedPreconditionError, ProviderError, UnavailableError } from '../../shared/core/errors.ts';
import type { Kind } from '../../shared/core/kind.ts';
import { secondsToFailure } from '../../shared/core/record.ts';
import { messageText } from '../../shared/core/resource.ts';
import type { Target } from '../../shared/core/target.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import { createRefusedEvent } from '../../shared/wire/create-refused.ts';
import { withTimeout } from './timeout.ts';

/** The caller waits for the answer. */
const sendTimeoutMs = 1_000;

type Parts = {
  readonly type: { readonly format: { readonly kind: Pick<Kind, 'serviceType'> } };
  readonly observations: Observations;
  readonly now: Clock;
  readonly log: Log;
};

type Create = Target & { readonly dcmId: string; readonly requestId: string };

/**
 * Runs a create, and queues its refusal for the normaliser, which publishes FAILED: an environment agent's error does not reach DCM's
 * placement, whose run would wait for ever. Published at once where no retry helps, else after three minutes. Not where the id is being
 * deleted, was deleted, or is another resource's: DCM knows these cases.
 * @throws what `run` throws; UnavailableError instead of a final refusal that could not be queued, so that the caller retries.
 */
export const reportRefusals =
  ({ type, observations, now, log }: Parts) =>
  async <Answer>(
    { dcmId, region, account, requestId }: Create,
    run: () => Promise<Answer>,
  ): Promise<Answer> => {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof FailedPreconditionError)) await report(refusalOf(error));
      throw error;
    }

    async function report({ retryable, reason }: Refusal): Promise<void> {
      const refusedAtMs = now();
      const { serviceType } = type.format.kind;
      const refused = { serviceType, dcmId, region, account, requestId, refusedAtMs, retryable, reason };
      const event = createRefusedEvent(refused);
      try {
        const sent = observations.send([event], retryable ? secondsToFailure : 0);
        await withTimeout(sendTimeoutMs, 'the observations queue', sent);
      } catch (cause) {
        log.warn('a refused create was not queued, so FAILED is not published', { dcmId, error: cause });
        if (retryable) return;
        const why = `${dcmId} is refused, and the refusal could not be queued for DCM: ${reason}; retry the request`;
        throw new UnavailableError(why, { cause });
      }
    }
  };

type Refusal = { readonly retryable: boolean; readonly reason: string };

/** The same text as in the answer to the caller. */
const refusalOf = (error: unknown): Refusal =>
  error instanceof ProviderError
    ? { retryable: error.retryable, reason: messageText(error.message) }
    : { retryable: true, reason: 'the provider failed' };
