import { NotFoundError, UnavailableError } from '../../../shared/domain/errors.ts';
import { isYoung } from '../../../shared/domain/instance.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { InstanceActions } from '../../../shared/ports/instance-actions.ts';

export type TerminatingParts = {
  readonly actions: Pick<InstanceActions, 'terminate'>;
  readonly now: Clock;
};

type Doomed = { readonly instanceId: string; readonly region: string; readonly launchedAtMs: number };

/**
 * Has EC2 terminate an instance. Resolves also where it is gone.
 * @throws FailedPreconditionError where it is protected from termination; UnavailableError where EC2 does not know an instance yet that it
 * has only just launched: it would run for ever if that were taken for gone.
 * @see https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
 */
export const terminateInstance =
  ({ actions, now }: TerminatingParts) =>
  async ({ instanceId, region, launchedAtMs }: Doomed): Promise<void> => {
    try {
      await actions.terminate(region, instanceId);
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      if (!isYoung(launchedAtMs, now())) return;
      const why = `EC2 does not know ${instanceId} yet, which it has only just launched; try it again`;
      throw new UnavailableError(why, { cause: error });
    }
  };
