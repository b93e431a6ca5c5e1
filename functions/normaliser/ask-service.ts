import { LRUCache } from 'lru-cache';
import { UpstreamError } from '../../shared/core/errors.ts';
import { listingTime } from '../../shared/core/gate.ts';
import { finalState, isEnding, type Kind, type StateReason } from '../../shared/core/kind.ts';
import { couldBeStale, heldState } from '../../shared/core/listing/doubt.ts';
import { type Observation, observationsOf, type ResourceMessage } from '../../shared/core/message.ts';
import { type Addresses, billedFactsOf } from '../../shared/core/outputs.ts';
import { isRecentlyLaunched } from '../../shared/core/ownership.ts';
import { isNews, type Resource, recordedAs } from '../../shared/core/resource.ts';
import {
  type Accounts,
  loggedTarget,
  type Target,
  targetKey,
  targetOf,
  targetOfKey,
} from '../../shared/core/target.ts';
import { type DescribedResource, maximumDescribed } from '../../shared/ports/described-resources.ts';
import { type ServedType, servedTypeOf } from '../../shared/ports/served-type.ts';
import type { Log, Meter } from '../../shared/ports/telemetry.ts';
import { checkIn, hasClaimCheck, hasObservation, type MessageGroup } from './read-message.ts';

type Parts = {
  readonly types: readonly ServedType[];
  readonly reasons: EndReasons;
  /** Id of the home account. Undefined: every account counts as it. */
  readonly homeAccount?: string | undefined;
  readonly accounts?: Accounts | undefined;
  readonly meter: Meter;
  readonly log: Log;
};
type Question = Pick<MessageGroup, 'kind' | 'resourceId' | 'region' | 'account'>;

/** The service's answer for each resource; no entry where it did not answer. */
export type Answers = ReadonlyMap<string, DescribedResource | 'absent'>;

const callsOf = { EC2: 'ec2Calls', ECS: 'ecsCalls', EKS: 'eksCalls' } as const;

/** Describes the resources of a batch: at most one call for each service type and target. */
export const askService =
  ({ types, reasons, homeAccount, accounts = {}, meter, log }: Parts) =>
  async (questions: readonly Question[]): Promise<Answers> => {
    const answers = new Map<string, DescribedResource | 'absent'>();
    const kinds = new Set(questions.map(({ kind }) => kind));
    await Promise.all([...kinds].map((kind) => askType(servedTypeOf(types, kind))));
    return answers;

    async function askType(type: ServedType) {
      const about = questions.filter(({ kind }) => kind === type.kind);
      const keys = new Set(about.map(keyOf));
      await Promise.all([...keys].map((key) => ask(type, targetOfKey(key), about)));
    }

    function keyOf(question: Question): string {
      return targetKey(targetOf(question, homeAccount));
    }

    async function ask(type: ServedType, target: Target, about: readonly Question[]) {
      const asked = about
        .filter((question) => keyOf(question) === targetKey(target))
        .map(({ resourceId }) => resourceId);
      const ids = [...new Set([...asked, ...reasons.ending(type.kind, target)])].slice(
        0,
        Math.max(maximumDescribed, asked.length),
      );
      for (let start = 0; start < ids.length; start += maximumDescribed) {
        const error = await describe(type, target, ids.slice(start, start + maximumDescribed));
        const alone = ids.slice(start, start + maximumDescribed).filter((id) => asked.includes(id));
        // EC2 refuses the whole call where one of the instances is in an unavailable zone
        if (error instanceof UpstreamError)
          await Promise.all(alone.map((id) => describe(type, target, [id])));
      }
    }

    /** @returns why the service did not answer; undefined where it did. */
    async function describe(type: ServedType, target: Target, ids: readonly string[]): Promise<unknown> {
      const { kind, service, resources, describeTimeoutMs } = type;
      meter.count(callsOf[service]);
      try {
        const found = await resources.describe(target, ids, describeTimeoutMs);
        for (const id of ids) answers.set(id, found.get(id) ?? 'absent');
        for (const described of found.values()) reasons.learn(kind, described);
        return undefined;
      } catch (error) {
        log.warn('a service did not describe resources; messages that depend on them are retried', {
          service,
          region: loggedTarget(accounts, target),
          resources: ids.length,
          error,
        });
        return error;
      }
    }
  };

type Seen = {
  readonly group: MessageGroup;
  readonly vm: Resource;
  /** It was claimed just now, and earlier events about it may have been dropped. */
  readonly isLate: boolean;
  readonly described: DescribedResource | 'absent' | undefined;
};

/**
 * The observations in the service's answer that no event has reported. Where the service gives each state its time, they are news whenever
 * they are newer; else the answer counts only where the state was asked for, at a time that makes no later event look older.
 */
export const describedStates = ({ group, vm, isLate, described }: Seen, nowMs: number): Observation[] => {
  if (described === undefined || described === 'absent') return [];
  const { kind, resourceId, region, account } = group;
  const { state, stateTimes, reason, publicAddress, privateAddress, isWindows, apiEndpoint } = described;
  const addresses = { publicAddress, privateAddress, isWindows, apiEndpoint, ...billedFactsOf(described) };
  const about = { resourceId, region, account, seenBy: 'listing', reason, ...addresses } as const;
  if (kind.timedBy === 'service') {
    const at = stateTimes?.at(-1)?.at;
    if (at === undefined) return [];
    return observationsOf({ kind: 'observation', ...about, state, at }, stateTimes).filter(
      (one) => isNews(vm, one) && !isAlreadyIn(group, one),
    );
  }
  if (hasObservation(group) && !isLate) return [];
  const at = vm.state === undefined ? timeOf(kind, described, nowMs) : listingTime(nowMs);
  if (at === undefined) return [];
  const observation: Observation = { kind: 'observation', ...about, state, at };
  const isAnswer = vm.state === undefined || isOver({ group, vm, isLate }, observation, described, nowMs);
  return isAnswer ? [observation] : [];
};

const isAlreadyIn = ({ resourceMessages }: MessageGroup, { state, at }: Observation): boolean =>
  resourceMessages.some((one) => one.kind === 'observation' && one.state === state && one.at === at);

/** EventBridge's time of the starting state is within these seconds of the launch; no resource runs and stops within them. */
const startingWithinSeconds = 5;

/**
 * The time of a first state in the service's answer, in seconds since 1970: that of a listing, before all events that may still arrive. For
 * a recently launched resource, the events of the launch may still arrive, and must not be newer: the starting state gets the time of the
 * launch, and the running state a later one. Undefined for its other states, which events report.
 */
const timeOf = (
  kind: Kind,
  { state, launchedAtMs }: DescribedResource,
  nowMs: number,
): number | undefined => {
  const listedAt = listingTime(nowMs);
  if (!isRecentlyLaunched(launchedAtMs, nowMs)) return listedAt;
  const launchedAt = Math.floor(launchedAtMs / 1000);
  if (state === kind.startingState) return launchedAt;
  if (state !== kind.runningState) return undefined;
  return Math.max(listedAt, Math.min(launchedAt + startingWithinSeconds, Math.floor(nowMs / 1000)));
};

/** Whether a checked transition has ended without its event, or events were dropped before the claim. */
const isOver = (
  { group, vm, isLate }: Omit<Seen, 'described'>,
  observation: Observation,
  { launchedAtMs }: DescribedResource,
  nowMs: number,
): boolean => {
  const held = heldState(vm);
  const state = recordedAs(vm, observation)?.state;
  if (held === undefined || state === undefined || held.state === state) return false;
  if (!isLate && !hasClaimCheck(group) && !checkIn(group, vm)) return false;
  return !couldBeStale(vm.kind, held, { state, launchedAtMs }, Math.floor(nowMs / 1000));
};

/**
 * The addresses in the service's answer of a resource that is held to be in `state`. It has the public address only while it runs; where the
 * service shows none, it may not be assigned yet.
 */
export const addressesIn = (
  { runningState }: Kind,
  described: DescribedResource | 'absent' | undefined,
  state: string | undefined,
): Addresses => {
  if (described === undefined || described === 'absent') return {};
  const { privateAddress, publicAddress, isWindows, apiEndpoint } = described;
  const runs = described.state === runningState && state === runningState;
  return {
    ...(privateAddress !== undefined && { privateAddress }),
    ...(runs && publicAddress && { publicAddress }),
    ...(isWindows && { isWindows }),
    ...(apiEndpoint !== undefined && { apiEndpoint }),
    ...billedFactsOf(described),
  };
};

/** Adds the addresses, which events may not have, from the service's answer, which is later than the event. */
export const withAddresses = (
  kind: Kind,
  resourceMessage: ResourceMessage,
  described: DescribedResource | undefined,
): ResourceMessage => {
  if (resourceMessage.kind !== 'observation' || described === undefined) return resourceMessage;
  const seen = addressesIn(kind, described, resourceMessage.state);
  return {
    ...resourceMessage,
    privateAddress: resourceMessage.privateAddress ?? seen.privateAddress,
    publicAddress: resourceMessage.publicAddress ?? seen.publicAddress,
    isWindows: resourceMessage.isWindows ?? seen.isWindows,
    apiEndpoint: resourceMessage.apiEndpoint ?? seen.apiEndpoint,
    ...billedFactsOf(seen),
  };
};

type Ending = Pick<Resource, 'kind' | 'resourceId' | 'region' | 'account'>;

/** Less than `maximumDescribed`, so that one call has room for questions. */
const maximumEnding = 150;

/**
 * Caches why resources ended, where the service has to be asked for that (Kind.needsReason). EC2 shows the reason from `shutting-down` on,
 * before `terminated`: so one call describes all instances that are shutting down, and a mass termination costs a call or two, not one for
 * each instance.
 */
export const endReasons = (homeAccount?: string) => {
  const ending = new LRUCache<string, { readonly kind: Kind; readonly key: string }>({ max: maximumEnding }); // by resource id
  const reasons = new LRUCache<string, StateReason>({ max: 1_000 });

  return {
    /** Adds a resource of ours that is about to end. */
    expect({ kind, resourceId, ...place }: Ending): void {
      if (kind.needsReason(finalState(kind), {}) && !reasons.has(resourceId))
        ending.set(resourceId, { kind, key: targetKey(targetOf(place, homeAccount)) });
    },

    /** The resources of a kind and target that are about to end. */
    ending: (kind: Kind, target: Target): string[] =>
      [...ending.entries()].flatMap(([id, one]) =>
        one.kind === kind && one.key === targetKey(target) ? [id] : [],
      ),

    learn(kind: Kind, { resourceId, state, reason }: DescribedResource): void {
      if (!reason || !isEnding(kind, state)) return;
      ending.delete(resourceId);
      reasons.set(resourceId, reason);
    },

    reasonOf: (resourceId: string): StateReason | undefined => reasons.get(resourceId),

    /** Whether a group has the last state, and only the service's reason decides how it is reported. */
    isUnexplained: ({ kind, resourceId, resourceMessages }: MessageGroup, vm?: Resource): boolean =>
      vm?.state !== finalState(kind) &&
      resourceMessages.some(
        (resourceMessage) =>
          resourceMessage.kind === 'observation' &&
          kind.needsReason(resourceMessage.state, {
            reason: resourceMessage.reason ?? reasons.get(resourceId),
            deleteRequested: vm?.deleteRequested,
          }),
      ),
  };
};
export type EndReasons = ReturnType<typeof endReasons>;
