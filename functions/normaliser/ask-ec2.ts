import { LRUCache } from 'lru-cache';
import { UpstreamError } from '../../shared/core/errors.ts';
import { listingTime } from '../../shared/core/gate.ts';
import { kindOf } from '../../shared/core/kind.ts';
import { couldBeStale, heldState } from '../../shared/core/listing/doubt.ts';
import type { Observation, ResourceMessage } from '../../shared/core/message.ts';
import type { Addresses } from '../../shared/core/outputs.ts';
import type { Resource } from '../../shared/core/resource.ts';
import { maximumDescribed } from '../../shared/ports/described-resources.ts';
import type { Log, Meter } from '../../shared/ports/telemetry.ts';
import { kinds } from '../../shared/service-types/kinds.ts';
import { isRecentlyLaunched, type StateReason } from '../../shared/service-types/vm/kind.ts';
import type { Instance, Instances } from '../../shared/service-types/vm/ports.ts';
import { checkIn, hasClaimCheck, hasObservation, type MessageGroup } from './read-message.ts';

/** Twice this and the second between two deliveries keep a DELETED whose reason nobody knows from waiting longer than two. */
const timeoutMs = 500;

type Parts = {
  readonly instances: Instances;
  readonly reasons: Terminations;
  readonly meter: Meter;
  readonly log: Log;
};
type Question = { readonly resourceId: string; readonly region: string };

/** EC2's answer for each instance asked about; no entry where EC2 did not answer. */
export type Answers = ReadonlyMap<string, Instance | 'absent'>;

/** Asks EC2 about a batch's instances: one DescribeInstances for each region that has any, none where there is nothing to ask. */
export const askEc2 =
  ({ instances, reasons, meter, log }: Parts) =>
  async (questions: readonly Question[]): Promise<Answers> => {
    const answers = new Map<string, Instance | 'absent'>();
    const regions = new Set(questions.map(({ region }) => region));
    await Promise.all([...regions].map(ask));
    return answers;

    async function ask(region: string) {
      const asked = questions
        .filter((question) => question.region === region)
        .map(({ resourceId }) => resourceId);
      const ids = [...new Set([...asked, ...reasons.leaving(region)])].slice(
        0,
        Math.max(maximumDescribed, asked.length),
      );
      for (let start = 0; start < ids.length; start += maximumDescribed) {
        const error = await describe(region, ids.slice(start, start + maximumDescribed));
        const alone = ids.slice(start, start + maximumDescribed).filter((id) => asked.includes(id));
        // one instance of a zone that is down has EC2 refuse the whole question
        if (error instanceof UpstreamError) await Promise.all(alone.map((id) => describe(region, [id])));
      }
    }

    /** Answers why EC2 did not. */
    async function describe(region: string, ids: readonly string[]): Promise<unknown> {
      meter.count('ec2Calls');
      try {
        const found = await instances.describe({ region }, ids, timeoutMs);
        for (const id of ids) answers.set(id, found.get(id) ?? 'absent');
        for (const instance of found.values()) reasons.learn(instance);
        return undefined;
      } catch (error) {
        log.warn('EC2 did not describe instances; what depends on it is tried again', {
          region,
          instances: ids.length,
          error,
        });
        return error;
      }
    }
  };

type Seen = {
  readonly group: MessageGroup;
  readonly vm: Resource;
  /** It was claimed just now, and events of it may have been dropped until then. */
  readonly isLate: boolean;
  readonly described: Instance | 'absent' | undefined;
};

/** What EC2's answer says of a VM's state, where no event has. */
export const describedState = (
  { group, vm, isLate, described }: Seen,
  nowMs: number,
): Observation | undefined => {
  if (described === undefined || described === 'absent') return undefined;
  if (hasObservation(group) && !isLate) return undefined;
  const at = vm.state === undefined ? timeOf(described, nowMs) : listingTime(nowMs);
  if (at === undefined) return undefined;
  if (vm.state !== undefined && !isOver({ group, vm, isLate }, described, nowMs)) return undefined;
  const { resourceId, region, account } = group;
  const { state, reason, publicAddress = '', privateAddress, isWindows } = described;
  return {
    kind: 'observation',
    resourceId,
    region,
    account,
    at,
    state,
    seenBy: 'listing',
    reason,
    publicAddress,
    privateAddress,
    isWindows,
  };
};

/** EventBridge's time of `pending` is within these seconds of the launch; no instance runs and is stopped again within them. */
const pendingWithinSeconds = 5;

/**
 * Where a first state is placed among the events, in seconds since 1970: as a listing's, before all that may still be on its way. Of a
 * recently launched instance the events of the launch are then on their way too, and must not come after: `pending` is placed at the
 * launch, and `running` after `pending`. Of other states of such an instance the events say the time; undefined.
 */
const timeOf = ({ state, launchedAtMs }: Instance, nowMs: number): number | undefined => {
  const listedAt = listingTime(nowMs);
  if (!isRecentlyLaunched(launchedAtMs, nowMs)) return listedAt;
  const launchedAt = Math.floor(launchedAtMs / 1000);
  if (state === 'pending') return launchedAt;
  if (state !== 'running') return undefined;
  return Math.max(listedAt, Math.min(launchedAt + pendingWithinSeconds, Math.floor(nowMs / 1000)));
};

/** A transition that was to be checked has ended and its event did not come, or events were dropped before the claim. */
const isOver = (
  { group, vm, isLate }: Omit<Seen, 'described'>,
  described: Instance,
  nowMs: number,
): boolean => {
  const held = heldState(vm);
  if (held === undefined || held.state === described.state) return false;
  if (!isLate && !hasClaimCheck(group) && !checkIn(group, vm)) return false;
  return !couldBeStale(vm.kind, held, described, Math.floor(nowMs / 1000));
};

/**
 * What EC2's answer says of the addresses of an instance that is known to be in `state`. The public one comes and goes with `running`; where
 * EC2 shows none, it may not be there yet.
 */
export const addressesIn = (
  described: Instance | 'absent' | undefined,
  state: string | undefined,
): Addresses => {
  if (described === undefined || described === 'absent') return {};
  const { privateAddress, publicAddress, isWindows } = described;
  const runs = described.state === 'running' && state === 'running';
  return {
    ...(privateAddress !== undefined && { privateAddress }),
    ...(runs && publicAddress && { publicAddress }),
    ...(isWindows && { isWindows }),
  };
};

/** An event has no addresses; EC2's answer is later than the event. */
export const withAddresses = (
  resourceMessage: ResourceMessage,
  described: Instance | undefined,
): ResourceMessage =>
  resourceMessage.kind === 'observation' && described !== undefined
    ? { ...addressesIn(described, resourceMessage.state), ...resourceMessage }
    : resourceMessage;

/** DescribeInstances takes at most 200 filter values. */
const maximumLeaving = 150;

/**
 * Why instances were terminated. EC2 knows the reason from `shutting-down` on, and `terminated` follows: so whoever asks about one
 * instance asks about all that are on their way, and a mass termination costs a call or two, not one for each.
 */
export const terminations = () => {
  const leaving = new LRUCache<string, string>({ max: maximumLeaving }); // instance id → region
  const reasons = new LRUCache<string, StateReason>({ max: 1_000 });

  return {
    /** Hears of an instance of ours that is shutting down. */
    expect({ resourceId, region }: Pick<Resource, 'resourceId' | 'region'>): void {
      if (!reasons.has(resourceId)) leaving.set(resourceId, region);
    },

    /** The instances of a region whose reason will soon be wanted. */
    leaving: (region: string): string[] =>
      [...leaving.entries()].flatMap(([id, where]) => (where === region ? [id] : [])),

    learn({ resourceId, state, reason }: Instance): void {
      if (!reason || (state !== 'shutting-down' && state !== 'terminated')) return;
      leaving.delete(resourceId);
      reasons.set(resourceId, reason);
    },

    reasonOf: (resourceId: string): StateReason | undefined => reasons.get(resourceId),

    /** Whether a message group has a `terminated` that only EC2's reason can show to be DELETED or FAILED. */
    isUnexplained: ({ resourceId, resourceMessages }: MessageGroup, vm?: Resource): boolean =>
      vm?.state !== 'terminated' &&
      resourceMessages.some(
        (resourceMessage) =>
          resourceMessage.kind === 'observation' &&
          kindOf(kinds, resourceId).needsReason(resourceMessage.state, {
            reason: resourceMessage.reason ?? reasons.get(resourceId),
            deleteRequested: vm?.deleteRequested,
          }),
      ),
  };
};
export type Terminations = ReturnType<typeof terminations>;
