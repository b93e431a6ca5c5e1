import { reasonOf } from '../../../shared/domain/errors.ts';
import { messageText } from '../../../shared/domain/vm.ts';
import type { VmRecord } from '../../../shared/domain/vm-record.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { Log } from '../../../shared/ports/log.ts';
import type { RandomPart } from '../../../shared/ports/random-part.ts';
import type { StatusPublisher } from '../../../shared/ports/status-publisher.ts';
import { vmStatusEvent } from '../../../shared/wire/dcm-vm.ts';
import { within } from '../within.ts';

/** The caller waits for the refusal itself; a bridge that cannot reach NATS would hold it up for ten seconds. */
const patienceMs = 1_000;

export type RefusalParts = {
  readonly publisher: StatusPublisher;
  readonly provider: string;
  readonly randomPart: RandomPart;
  readonly now: Clock;
  readonly log: Log;
};

/** Tells DCM that EC2 refused to launch a VM. It has no instance, so no normaliser will. Best effort: the caller is told as well. */
export const reportRefusal =
  ({ publisher, provider, randomPart, now, log }: RefusalParts) =>
  async ({ vmId, region }: VmRecord, requestId: string, refusal: unknown): Promise<void> => {
    const at = Math.floor(now() / 1000);
    const failed = {
      key: String(at * 10),
      id: `${vmId}:${at}:${randomPart()}:launch-failed`,
      at,
      status: 'FAILED',
      message: messageText(`it could not be launched: ${reasonOf(refusal)}`),
      requestId,
    } as const;
    try {
      const published = publisher.publish([vmStatusEvent({ vmId, region }, failed, provider)]);
      await within(patienceMs, 'the nats-bridge', published);
    } catch (error) {
      log.warn('DCM was not told that a VM could not be launched', { vmId, error });
    }
  };
