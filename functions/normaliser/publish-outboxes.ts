import { releaseOf } from '../../shared/domain/debounce.ts';
import type { Log } from '../../shared/ports/log.ts';
import type { Retries } from '../../shared/ports/retries.ts';
import type { StatusPublisher } from '../../shared/ports/status-publisher.ts';
import type { CloudEventJson } from '../../shared/wire/cloudevents.ts';
import { vmStatusEvent } from '../../shared/wire/dcm-vm.ts';
import type { PublicationAnswer } from '../../shared/wire/publication.ts';
import { settledKey } from './lanes.ts';
import type { RecordedLane } from './record-signals.ts';
import { type Published, type SettlingParts, settleOutbox } from './settle-outbox.ts';

export type PublishingParts = SettlingParts & {
  readonly publisher: StatusPublisher;
  /** Puts a status that no retry can publish into the dead-letter queue. */
  readonly retries: Pick<Retries, 'bury'>;
  readonly log: Log;
  readonly provider: string;
  /** How often a VM may change in ten seconds and be told of each time. */
  readonly burst: number;
};

/**
 * Publishes what these VMs have unpublished and may be told of, then removes what was acknowledged or can never be published, and what that
 * made worthless, from their outboxes. In that order: a crash in between repeats the news, never loses it.
 */
export const publishOutboxes = ({ publisher, retries, log, provider, burst, ...parts }: PublishingParts) => {
  const { meter } = parts;
  const settle = settleOutbox(parts);

  return async (recorded: readonly RecordedLane[]): Promise<Published[]> => {
    const releases = recorded.map((one) => ({
      ...one,
      release: releaseOf(one.vm, { burst, settled: settledKey(one.lane) }),
    }));
    const events = releases.flatMap(({ vm, release }) =>
      release.tell.map((status) => vmStatusEvent(vm, status, provider)),
    );
    const { acknowledged, failed } = await publish(events);
    const outcome = {
      refused: await deadLetter(events, failed),
      told: new Set(acknowledged.map(({ id }) => id)),
      why: new Map(failed.map(({ id, reason }) => [id, reason])),
    };
    return Promise.all(releases.map((one) => settle(one, outcome)));
  };

  /** @returns the ids of the statuses that are in the dead-letter queue, so that the VM's later ones need not wait for them. */
  async function deadLetter(
    events: readonly CloudEventJson[],
    failed: PublicationAnswer['failed'],
  ): Promise<ReadonlySet<string>> {
    const refused = new Set<string>();
    for (const { id, reason } of failed.filter(({ retryable }) => !retryable)) {
      const event = events.find((one) => one.id === id);
      if (event === undefined) continue;
      try {
        await retries.bury(JSON.stringify(event), reason);
        log.error('a status can never be published; it is in the dead-letter queue', { id, reason });
        refused.add(id);
      } catch (error) {
        log.warn('a status could not be sent to the dead-letter queue; it is retried', { id, error });
      }
    }
    return refused;
  }

  async function publish(events: readonly CloudEventJson[]): Promise<PublicationAnswer> {
    if (events.length === 0) return { acknowledged: [], failed: [] };
    const answer = await publisher.publish(events);
    meter.count('published', answer.acknowledged.length);
    meter.count('duplicate', answer.acknowledged.filter(({ duplicate }) => duplicate).length);
    meter.count('unpublished', answer.failed.length);
    return answer;
  }
};
