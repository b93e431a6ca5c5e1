import { UnavailableError } from '../../shared/core/errors.ts';
import { defaultBurst } from '../../shared/core/outbox.ts';
import { awaitsAddress } from '../../shared/core/outputs.ts';
import type { Listings } from '../../shared/ports/listings.ts';
import type { Instances } from '../../shared/service-types/vm/ports.ts';
import { askEc2, terminations } from './ask-ec2.ts';
import { type PublishingParts, publishOutboxes } from './deliver.ts';
import { afterOutage, type LookingParts, lookAgain } from './follow-up.ts';
import {
  groupsOf,
  hasUnexplainedFallback,
  isRetried,
  type Message,
  type MessageGroup,
} from './message-groups.ts';
import { establishOwners, type Owned, type OwnershipParts } from './ownership.ts';
import { type RecordedGroup, type RecordingParts, recordMessages } from './record.ts';

export type Parts = Omit<OwnershipParts, 'ask' | 'reasons'> &
  Pick<RecordingParts, 'randomPart'> &
  Omit<PublishingParts & LookingParts, 'burst'> & {
    readonly instances: Instances;
    readonly listings: Pick<Listings, 'requestRepublication'>;
    /** How often a VM may change in ten seconds and be told of each time. @default 4 */
    readonly burst?: number | undefined;
  };

/**
 * A batch of what was learnt about instances in, their VMs' new statuses out to DCM: never lost, never out of order, never repeated.
 * Each VM goes its own way; what fails for one leaves the others alone.
 * @returns why messages must come again, by message id.
 */
export const reportStatus = ({ burst = defaultBurst, ...others }: Parts) => {
  const parts = { ...others, burst };
  const reasons = terminations();
  const establish = establishOwners({ ...parts, reasons, ask: askEc2({ ...parts, reasons }) });
  const record = recordMessages({ ...parts, reasons });
  const publish = publishOutboxes(parts);
  const look = lookAgain(parts);
  const republish = afterOutage(parts);

  return async (messages: readonly Message[]): Promise<ReadonlyMap<string, unknown>> => {
    const groups = groupsOf(messages);
    const { ours, undecided } = await establish(groups);
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
        failed.set(group, new UnavailableError(`EC2 does not say yet at which address ${vm.resourceId} is`));
    await republish(published);
    const done = published.filter(({ group }) => !failed.has(group)); // or each retry would queue another look
    for (const [group, error] of await look(done)) failed.set(group, error);
    return byMessage(failed);
  };

  /**
   * @throws UnavailableError once, where EC2 should be asked a second time: it did not say why the instance was terminated, or its answer
   * was older than the event of a start that fell back.
   */
  function reasonFor({ group, vm, described }: Owned) {
    if (!isRetried(group) && reasons.isUnexplained(group, vm))
      throw new UnavailableError(`EC2 does not say yet why ${group.resourceId} was terminated`);
    if (!isRetried(group) && described?.state === 'pending' && hasUnexplainedFallback(group, vm))
      throw new UnavailableError(`EC2 does not say yet why ${group.resourceId} is stopped and did not start`);
    return reasons.reasonOf(group.resourceId);
  }
};

const byMessage = (failed: ReadonlyMap<MessageGroup, unknown>): ReadonlyMap<string, unknown> =>
  new Map(
    [...failed].flatMap(([group, error]) =>
      group.messages.map(({ messageId }) => [messageId, error] as const),
    ),
  );
