import { UnavailableError } from '../../shared/core/errors.ts';
import {
  isNewerObservation,
  isStateKey,
  secondOfKey,
  sequenceOf,
  stateOfKey,
} from '../../shared/core/gate.ts';
import { finalState, isEnding, isStopped, type StateReason } from '../../shared/core/kind.ts';
import type {
  Notice,
  Observation,
  RepublicationRequest,
  ResourceMessage,
} from '../../shared/core/message.ts';
import { supersededKeys } from '../../shared/core/outbox.ts';
import { type Addresses, awaitsAddress, changesOutputs, newAddresses } from '../../shared/core/outputs.ts';
import {
  circumstancesOf,
  correctionOf,
  explainedStatus,
  hasNewReason,
  isNewNotice,
  isNewRepublication,
  noticeStatus,
  type Resource,
  readdressedStatus,
  recordedAs,
  republishedStatus,
  statusOf,
  withFailure,
} from '../../shared/core/resource.ts';
import { loggedTarget, targetOf } from '../../shared/core/target.ts';
import { traceIdOf } from '../../shared/core/trace.ts';
import type { DescribedResource } from '../../shared/ports/described-resources.ts';
import type { Recorded } from '../../shared/ports/resource-store.ts';
import { servedTypeOf } from '../../shared/ports/served-type.ts';
import { addressesIn, type EndReasons } from './ask-service.ts';
import type { Parts } from './normalise.ts';
import type { Owned } from './ownership.ts';
import { isRedelivered, type MessageGroup, withoutSuperseded } from './read-message.ts';

type Recording = Pick<
  Parts,
  'resourceStore' | 'types' | 'homeAccount' | 'accounts' | 'reporting' | 'randomPart' | 'now' | 'log'
>;

/** The result of recording a group. */
export type RecordedGroup = {
  readonly group: MessageGroup;
  /** The resource after recording; its outbox may also have statuses that a crashed worker left. */
  readonly vm: Resource;
  /** The keys of the statuses that were added to the outbox. */
  readonly added: ReadonlySet<string>;
  /** Some message was not new: the group may be a redelivery, after an attempt that did not finish. */
  readonly hasRepeats: boolean;
} & Pick<Owned, 'needsClaimCheck'>;

/** Records, in order, what the messages of one resource say. Its outbox is first brought below its bounds. */
export const recordMessages = (parts: Recording & Pick<Parts, 'meter'>, reasons: EndReasons) => {
  const { resourceStore, homeAccount, accounts = {}, now, meter, log } = parts;
  const record = recordMessage(parts);
  const readdress = recordAddresses(parts);

  /** Runs before anything is added, because an item at DynamoDB's size limit cannot grow. */
  const bounded = async (vm: Resource): Promise<Resource> => {
    const superseded = supersededKeys(vm);
    if (superseded.length === 0) return vm;
    meter.count('superseded', superseded.length);
    const settled = await resourceStore.settle(vm, superseded);
    if (settled === undefined) throw noLongerHeld(vm);
    return settled;
  };

  return async ({
    group,
    vm,
    resourceMessages,
    answers,
    reason,
    described,
    needsClaimCheck,
  }: Owned & Pick<Before, 'reason'>): Promise<RecordedGroup> => {
    const current = withoutSuperseded(group.kind, resourceMessages);
    meter.count('collapsed', resourceMessages.length - current.length);
    const added = new Set<string>();
    let held = await bounded(vm);
    let hasRepeats = false;
    for (const resourceMessage of current) {
      const before = { vm: held, isRead: held === vm, isRetry: isRedelivered(group), reason, described };
      const recorded = await record(before, resourceMessage);
      keep(resourceMessage, recorded);
    }
    const seen = addressesIn(group.kind, described, held.state);
    keep(undefined, await readdress(held, seen, Math.floor(now() / 1000)));
    if (held.state !== undefined && isEnding(held.kind, held.state)) reasons.expect(held);
    return { group, vm: held, added, hasRepeats, needsClaimCheck };

    function keep(resourceMessage: ResourceMessage | undefined, recorded: Recorded) {
      if (recorded.outcome === 'unknown') throw noLongerHeld(vm);
      if (resourceMessage) meter.count(recorded.outcome);
      held = recorded.vm;
      if (recorded.outcome === 'accepted') note(resourceMessage, held);
      else if (resourceMessage) hasRepeats = true;
    }

    function note(
      resourceMessage: ResourceMessage | undefined,
      { latest, state, resourceId, dcmId }: Resource,
    ) {
      if (latest && !added.has(latest.key)) {
        added.add(latest.key);
        const { id, key, status, requestId } = latest;
        const traceId = traceIdOf(resourceId, key);
        const { eventId } = resourceMessage ?? {};
        log.info('a status was recorded', { id, status, resourceId, dcmId, eventId, requestId, traceId });
      }
      if (
        resourceMessage?.kind === 'observation' &&
        answers.includes(resourceMessage) &&
        vm.state !== undefined &&
        state !== undefined
      )
        meter.healed(loggedTarget(accounts, targetOf(vm, homeAccount)), state);
    }
  };
};

const noLongerHeld = ({ resourceId }: Resource) =>
  new UnavailableError(
    `the resource store no longer holds ${resourceId}; its owner must be established again`,
  );

type Before = {
  readonly vm: Resource;
  /** The resource was read, not written, so it may lag behind. */
  readonly isRead: boolean;
  /** The message was delivered before. */
  readonly isRetry: boolean;
  /** Why it ended; undefined where it has not, or the service gave no reason. */
  readonly reason: StateReason | undefined;
  /** As the service described it; undefined where it was not asked, did not answer or does not know it. */
  readonly described: DescribedResource | undefined;
};

/**
 * Records the addresses in the service's answer. Where they change the outputs of the status that was published last, that status is published
 * once more; a status that is still waiting for them is not.
 */
const recordAddresses =
  ({ resourceStore, now, randomPart }: Recording) =>
  (vm: Resource, seen: Addresses, at: number): Promise<Recorded> | Recorded => {
    const found = newAddresses(vm, seen);
    if (found === undefined) return { outcome: 'unchanged', vm };
    const { latest } = vm;
    const isToBePublished = latest && changesOutputs(vm, seen) && !awaitsAddress(vm, latest, now());
    const status = isToBePublished ? readdressedStatus({ ...vm, latest }, at, randomPart()) : undefined;
    return resourceStore.readdress(vm, found, status);
  };

/**
 * @returns the reason of an observation, with the failure of the change that is over with it. A change that nobody saw begin is not asked
 * about. @throws UnavailableError once where the service does not say how the change has ended; then the state is published without it.
 */
const explainFailedChange =
  ({ types, homeAccount, log }: Recording) =>
  async (
    vm: Resource,
    { state: next, reason }: Observation,
    isRetry: boolean,
  ): Promise<StateReason | undefined> => {
    const { kind, resourceId, state } = vm;
    const { changes } = servedTypeOf(types, kind);
    if (changes === undefined || state !== changes.state || next === state || isEnding(kind, next))
      return reason;
    try {
      const failure = await changes.failure(targetOf(vm, homeAccount), resourceId, stateBeforeMs(vm));
      return failure === undefined ? reason : withFailure(reason, failure);
    } catch (error) {
      if (!isRetry) throw error;
      log.warn('a state is published without how the change before it has ended', { resourceId, error });
      return reason;
    }
  };

/** When the state before the held one was recorded: a change that is over with the held state was begun later. */
const stateBeforeMs = ({ kind, state, history }: Resource): number => {
  const states = history.filter(({ key }) => isStateKey(key));
  const before = states.findLast(({ key }) => stateOfKey(kind, key) !== state) ?? states[0];
  return before === undefined ? 0 : secondOfKey(before.key) * 1000;
};

/** Records one message, unless the resource store already holds what it says. */
const recordMessage = (parts: Recording) => {
  const { resourceStore, randomPart, reporting } = parts;
  const readdress = recordAddresses(parts);
  const failedChange = explainFailedChange(parts);

  return (
    { vm, isRead, isRetry, reason, described }: Before,
    resourceMessage: ResourceMessage,
  ): Promise<Recorded> | Recorded => {
    if (resourceMessage.kind === 'observation') return observed(resourceMessage);
    if (resourceMessage.kind === 'notice') return noticed(resourceMessage);
    if (resourceMessage.kind === 'status-wanted') return republish(resourceMessage);
    const mayHide = isRead && resourceMessage.kind === 'status-settled'; // statuses held back by the debounce must still be published
    return mayHide ? resourceStore.readConsistently(vm.resourceId) : { outcome: 'unchanged', vm };

    async function observed(seen: Observation): Promise<Recorded> {
      const observation = recordedAs(vm, seen);
      if (observation === undefined) return { outcome: 'unchanged', vm };
      if (!isNewerObservation(vm.kind, vm, observation)) return repeated(observation);
      const again = vm.state === observation.state ? seenAgain(observation) : undefined;
      if (again) return again;
      const explained = { ...observation, reason: await failedChange(vm, observation, isRetry) };
      const status = statusOf(vm.kind, explained, randomPart(), {
        ...circumstancesOf(vm, observation),
        ...reporting,
        reason: reasonOf(observation),
      });
      return resourceStore.record(observation, { ...status, ...correctionOf(vm) });
    }

    /** The held state with other outputs, or for another reason. */
    function seenAgain(observation: Observation): Promise<Recorded> | Recorded | undefined {
      if (changesOutputs(vm, observation)) return readdress(vm, observation, observation.at);
      const { latest } = vm;
      if (latest === undefined || !hasNewReason(vm, observation)) return undefined;
      const status = explainedStatus({ ...vm, latest }, observation, randomPart());
      return resourceStore.readdress(vm, newAddresses(vm, observation) ?? {}, status);
    }

    /** Where the service gives each state its time, another look at the held state has the same time, and may have its addresses. */
    function repeated(observation: Observation): Promise<Recorded> | Recorded {
      const isSame = vm.state === observation.state && vm.sequence === sequenceOf(vm.kind, observation);
      const isReaddressed = isSame && vm.state === vm.kind.runningState && newAddresses(vm, observation);
      return isReaddressed
        ? readdress(vm, observation, Math.floor(parts.now() / 1000))
        : { outcome: 'stale', vm };
    }

    /** The service's reason for an end, and for a start that fell back to the stopped state. */
    function reasonOf({ state }: Observation): StateReason | undefined {
      if (state === finalState(vm.kind)) return reason;
      const hasFallenBack = isStopped(vm.kind, state) && vm.state === vm.kind.startingState;
      return hasFallenBack && described?.state === state ? described.reason : undefined;
    }

    function noticed(notice: Notice): Promise<Recorded> | Recorded {
      if (!isNewNotice(vm, notice)) return { outcome: 'stale', vm };
      const { state } = vm;
      return resourceStore.notify(
        vm,
        notice,
        state === undefined ? undefined : noticeStatus({ ...vm, state }, notice, randomPart(), reporting),
      );
    }

    async function republish(request: RepublicationRequest): Promise<Recorded> {
      const { latest } = vm;
      if (!latest || !isNewRepublication(vm, request) || (await isReplaced()))
        return { outcome: 'stale', vm };
      return resourceStore.republish(vm, republishedStatus({ ...vm, latest }, request, randomPart()));
    }

    /** Whether the DCM id now belongs to another resource: then the end of this one must not be published. */
    async function isReplaced(): Promise<boolean> {
      if (vm.state !== finalState(vm.kind)) return false;
      const record = await servedTypeOf(parts.types, vm.kind).records?.read(vm.dcmId);
      return record !== undefined && record.resourceId !== vm.resourceId;
    }
  };
};
