import { UnavailableError } from '../../shared/core/errors.ts';
import { usualBurst } from '../../shared/core/outbox.ts';
import { awaitsAddress } from '../../shared/core/outputs.ts';
import type { Instances } from '../../shared/ports/instances.ts';
import type { Listings } from '../../shared/ports/listings.ts';
import { askEc2, terminations } from './ask-ec2.ts';
import { type PublishingParts, publishOutboxes } from './deliver.ts';
import { afterOutage, type LookingParts, lookAgain } from './follow-up.ts';
import { hasUnexplainedFallback, isRetried, type Lane, lanesOf, type Message } from './message-groups.ts';
import { establishOwners, type Owned, type OwnershipParts } from './ownership.ts';
import { type RecordedLane, type RecordingParts, recordSignals } from './record.ts';

export type Parts = Omit<OwnershipParts, 'ask' | 'reasons'> &
  Pick<RecordingParts, 'randomPart'> &
  Omit<PublishingParts & LookingParts, 'burst'> & {
    readonly instances: Instances;
    readonly listings: Pick<Listings, 'wantRepublish'>;
    /** How often a VM may change in ten seconds and be told of each time. @default 4 */
    readonly burst?: number | undefined;
  };

/**
 * A batch of what was learnt about instances in, their VMs' new statuses out to DCM: never lost, never out of order, never repeated.
 * Each VM goes its own way; what fails for one leaves the others alone.
 * @returns why messages must come again, by message id.
 */
export const reportStatus = ({ burst = usualBurst, ...others }: Parts) => {
  const parts = { ...others, burst };
  const reasons = terminations();
  const establish = establishOwners({ ...parts, reasons, ask: askEc2({ ...parts, reasons }) });
  const record = recordSignals({ ...parts, reasons });
  const publish = publishOutboxes(parts);
  const look = lookAgain(parts);
  const republish = afterOutage(parts);

  return async (messages: readonly Message[]): Promise<ReadonlyMap<string, unknown>> => {
    const lanes = lanesOf(messages);
    const { ours, undecided } = await establish(lanes);
    const failed = new Map<Lane, unknown>(undecided);

    const recorded: RecordedLane[] = [];
    await Promise.all(
      ours.map(async (owned) => {
        try {
          recorded.push(await record({ ...owned, reason: reasonFor(owned) }));
        } catch (error) {
          failed.set(owned.lane, error);
        }
      }),
    );

    const published = await publish(recorded);
    for (const { lane, failure } of published) if (failure !== undefined) failed.set(lane, failure);
    for (const { lane, vm } of published)
      if (vm.outbox.some((status) => awaitsAddress(vm, status, parts.now())))
        failed.set(lane, new UnavailableError(`EC2 does not say yet at which address ${vm.instanceId} is`));
    await republish(published);
    const done = published.filter(({ lane }) => !failed.has(lane)); // or each retry would queue another look
    for (const [lane, error] of await look(done)) failed.set(lane, error);
    return byMessage(failed);
  };

  /**
   * @throws UnavailableError once, where EC2 should be asked a second time: it did not say why the instance was terminated, or its answer
   * was older than the event of a start that fell back.
   */
  function reasonFor({ lane, vm, described }: Owned) {
    if (!isRetried(lane) && reasons.isUnexplained(lane, vm))
      throw new UnavailableError(`EC2 does not say yet why ${lane.instanceId} was terminated`);
    if (!isRetried(lane) && described?.state === 'pending' && hasUnexplainedFallback(lane, vm))
      throw new UnavailableError(`EC2 does not say yet why ${lane.instanceId} is stopped and did not start`);
    return reasons.reasonOf(lane.instanceId);
  }
};

const byMessage = (failed: ReadonlyMap<Lane, unknown>): ReadonlyMap<string, unknown> =>
  new Map(
    [...failed].flatMap(([lane, error]) => lane.messages.map(({ messageId }) => [messageId, error] as const)),
  );
