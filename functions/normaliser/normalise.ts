import { UnavailableError } from '../../shared/core/errors.ts';
import { awaitsAddress } from '../../shared/core/outputs.ts';
import type { TagKeys } from '../../shared/core/ownership.ts';
import type { Reporting } from '../../shared/core/resource.ts';
import type { Accounts } from '../../shared/core/target.ts';
import type { Clock, RandomPart } from '../../shared/ports/clock.ts';
import type { Listings } from '../../shared/ports/listings.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Retries } from '../../shared/ports/retries.ts';
import { type ServedType, servedTypeOf } from '../../shared/ports/served-type.ts';
import type { StatusBus } from '../../shared/ports/status-bus.ts';
import type { StatusPublisher } from '../../shared/ports/status-publisher.ts';
import type { Log, Meter } from '../../shared/ports/telemetry.ts';
import { askService, endReasons } from './ask-service.ts';
import { publishOutboxes } from './deliver.ts';
import { queueFollowUps, republishAfterOutage } from './follow-up.ts';
import { establishOwners, type Owned } from './ownership.ts';
import {
  groupsOf,
  hasUnexplainedFallback,
  isRedelivered,
  type Message,
  type MessageGroup,
} from './read-message.ts';
import { type RecordedGroup, recordMessages } from './record.ts';

/** The ports and settings of the normaliser. */
export type Parts = {
  readonly resourceStore: ResourceStore;
  /** The service types that this deployment serves. */
  readonly types: readonly ServedType[];
  readonly publisher: StatusPublisher;
  /** Gets every status that the stream has acknowledged. Absent: nobody wants them. */
  readonly bus?: StatusBus | undefined;
  readonly observations: Observations;
  readonly listings: Pick<Listings, 'requestRepublication'>;
  /** Puts a status that no retry can publish into the dead-letter queue. */
  readonly retries: Pick<Retries, 'deadLetter'>;
  /** Id of the home account. Undefined: every account counts as it. */
  readonly homeAccount?: string | undefined;
  /** The other accounts. */
  readonly accounts?: Accounts | undefined;
  /** Our name at DCM. */
  readonly provider: string;
  readonly tagKeys: TagKeys;
  /** How many changes of a resource within ten seconds are published at once. @default 4 */
  readonly burst?: number | undefined;
  /** How states are reported. */
  readonly reporting?: Reporting | undefined;
  readonly randomPart: RandomPart;
  readonly now: Clock;
  readonly meter: Meter;
  readonly log: Log;
};

/**
 * Publishes the statuses that a batch of messages leads to: group by resource → ownership → record → deliver → follow up. No status is lost,
 * published out of order or published twice. Resources do not wait for each other, and a failure concerns one of them only.
 * @returns why SQS must redeliver messages, by message id.
 */
export const reportStatus = (parts: Parts) => {
  const reasons = endReasons(parts.homeAccount);
  const establish = establishOwners(parts, { reasons, ask: askService({ ...parts, reasons }) });
  const record = recordMessages(parts, reasons);
  const publish = publishOutboxes(parts);
  const followUp = queueFollowUps(parts);
  const republish = republishAfterOutage(parts);

  return async (messages: readonly Message[]): Promise<ReadonlyMap<string, unknown>> => {
    const { ours, undecided } = await establish(groupsOf(messages));
    const failed = new Map<MessageGroup, unknown>(undecided);

    const recorded: RecordedGroup[] = [];
    await Promise.all(
      ours.map(async (owned) => {
        try {
          recorded.push(await record({ ...owned, reason: reasonFor(owned) }));
        } catch (error) {
          failed.set(owned.group, error);
        }
      }),
    );

    const published = await publish(recorded);
    for (const { group, failure } of published) if (failure !== undefined) failed.set(group, failure);
    for (const { group, vm } of published)
      if (vm.outbox.some((status) => awaitsAddress(vm, status, parts.now())))
        failed.set(
          group,
          new UnavailableError(`${serviceOf(group)} does not show the addresses of ${vm.resourceId} yet`),
        );
    await republish(published);
    const done = published.filter(({ group }) => !failed.has(group)); // or each redelivery would queue another check
    for (const [group, error] of await followUp(done)) failed.set(group, error);
    return byMessage(failed);
  };

  /**
   * @throws UnavailableError once, so that the service is asked a second time: its answer had no reason for the end, or was older than the
   * event of a start that fell back.
   */
  function reasonFor({ group, vm, described }: Owned) {
    if (!isRedelivered(group) && reasons.isUnexplained(group, vm))
      throw new UnavailableError(`${serviceOf(group)} does not show yet why ${group.resourceId} has ended`);
    const isStarting = described?.state === group.kind.startingState;
    if (!isRedelivered(group) && isStarting && hasUnexplainedFallback(group, vm))
      throw new UnavailableError(
        `${serviceOf(group)} does not show yet why ${group.resourceId} is stopped and did not start`,
      );
    return reasons.reasonOf(group.resourceId);
  }

  function serviceOf({ kind }: MessageGroup) {
    return servedTypeOf(parts.types, kind).service;
  }
};

const byMessage = (failed: ReadonlyMap<MessageGroup, unknown>): ReadonlyMap<string, unknown> =>
  new Map(
    [...failed].flatMap(([group, error]) =>
      group.messages.map(({ messageId }) => [messageId, error] as const),
    ),
  );
