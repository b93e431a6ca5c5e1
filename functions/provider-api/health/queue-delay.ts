import type { Backlog } from '../../../shared/ports/backlog.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { Heartbeats } from '../../../shared/ports/heartbeats.ts';
import type { Observations } from '../../../shared/ports/observations.ts';
import { heartbeatEvent } from '../../../shared/wire/heartbeat.ts';

type Parts = {
  readonly heartbeats: Omit<Heartbeats, 'processed'>;
  readonly observations: Observations;
  /** Where the queue is. */
  readonly homeRegion: string;
  readonly now: Clock;
};

/** At most, however many ask for the health; a lost one delays the next for as long. */
const everySeconds = 60;

/**
 * How long the observations queue takes, found without receiving from it: at most once a minute one heartbeat is sent through it, which
 * the normaliser writes down. While one is unprocessed, the queue's delay is its age, and another is sent each minute, in case it was lost.
 */
export const queueDelay =
  ({ heartbeats, observations, homeRegion, now }: Parts): Backlog =>
  async () => {
    const at = Math.floor(now() / 1000);
    const known = await heartbeats.recall();
    const isWaiting = known.waitingSince > known.processedAt;
    const next = { sentAt: at, waitingSince: isWaiting ? known.waitingSince : at };
    if (at - known.sentAt >= everySeconds && (await heartbeats.claim(next, known.sentAt)))
      await observations.send([heartbeatEvent(at, { region: homeRegion, account: '' })]);
    return isWaiting ? at - known.waitingSince : 0;
  };
