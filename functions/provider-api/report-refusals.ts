import { FailedPreconditionError, ProviderError, UnavailableError } from '../../shared/core/errors.ts';
import { secondsToFailure } from '../../shared/core/record.ts';
import { messageText } from '../../shared/core/resource.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import { createRefusedEvent } from '../../shared/wire/create-refused.ts';
import { within } from './timeout.ts';

/** The caller waits for the refusal itself. */
const sendWithinMs = 1_000;

export type RefusalParts = {
  readonly observations: Observations;
  readonly now: Clock;
  readonly log: Log;
};

/** The create that is refused. */
export type Refused = { readonly vmId: string; readonly region: string; readonly requestId: string };

/**
 * Has the normaliser publish FAILED for a create that is refused, since an environment agent's error does not reach DCM's placement: the run
 * would never end. At once where no retry helps, and three minutes later otherwise. Not where the id is being deleted, was deleted, or is
 * another VM's: DCM knows that by itself.
 * @throws what `create` throws; UnavailableError instead of a final refusal that could not be queued, so that the caller asks again.
 */
export const reportRefusals =
  ({ observations, now, log }: RefusalParts) =>
  async <Answer>({ vmId, region, requestId }: Refused, create: () => Promise<Answer>): Promise<Answer> => {
    try {
      return await create();
    } catch (error) {
      if (!(error instanceof FailedPreconditionError)) await report(describe(error));
      throw error;
    }

    async function report({ retryable, reason }: Refusal): Promise<void> {
      const refusedAtMs = now();
      const event = createRefusedEvent({ vmId, region, requestId, refusedAtMs, retryable, reason });
      try {
        const sent = observations.send([event], retryable ? secondsToFailure : 0);
        await within(sendWithinMs, 'the observations queue', sent);
      } catch (cause) {
        log.warn('a refused create was not queued to be published as FAILED', { vmId, error: cause });
        if (retryable) return;
        const why = `${vmId} is refused, and DCM could not be told: ${reason}; try it again`;
        throw new UnavailableError(why, { cause });
      }
    }
  };

type Refusal = { readonly retryable: boolean; readonly reason: string };

/** As the caller is told of it. */
const describe = (error: unknown): Refusal =>
  error instanceof ProviderError
    ? { retryable: error.retryable, reason: messageText(error.message) }
    : { retryable: true, reason: 'the provider failed' };
