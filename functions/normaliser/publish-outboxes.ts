import { releaseOf } from '../../shared/domain/debounce.ts';
import type { StatusPublisher } from '../../shared/ports/status-publisher.ts';
import type { CloudEventJson } from '../../shared/wire/cloudevents.ts';
import { vmStatusEvent } from '../../shared/wire/dcm-vm.ts';
import type { PublicationAnswer } from '../../shared/wire/publication.ts';
import { settledKey } from './lanes.ts';
import type { RecordedLane } from './record-signals.ts';
import { type Published, type SettlingParts, settleOutbox } from './settle-outbox.ts';

export type PublishingParts = SettlingParts & {
  readonly publisher: StatusPublisher;
  readonly provider: string;
  /** How often a VM may change in ten seconds and be told of each time. */
  readonly burst: number;
};

/**
 * Publishes what these VMs have unpublished and may be told of, then removes what was acknowledged, and what that made worthless, from
 * their outboxes. In that order: a crash in between repeats the news, never loses it.
 */
export const publishOutboxes = ({ publisher, provider, burst, ...parts }: PublishingParts) => {
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
      told: new Set(acknowledged.map(({ id }) => id)),
      why: new Map(failed.map(({ id, reason }) => [id, reason])),
    };
    return Promise.all(releases.map((one) => settle(one, outcome)));
  };

  async function publish(events: readonly CloudEventJson[]): Promise<PublicationAnswer> {
    if (events.length === 0) return { acknowledged: [], failed: [] };
    const answer = await publisher.publish(events);
    meter.count('published', answer.acknowledged.length);
    meter.count('duplicate', answer.acknowledged.filter(({ duplicate }) => duplicate).length);
    meter.count('unpublished', answer.failed.length);
    return answer;
  }
};
