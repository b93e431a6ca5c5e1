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

/** Two such timeouts and one second between two deliveries: a DELETED without a known reason waits for two seconds at most. */
const timeoutMs = 500;

type Parts = {
  readonly instances: Instances;
  readonly reasons: Terminations;
  readonly meter: Meter;
  readonly log: Log;
};
type Question = { readonly resourceId: string; readonly region: string };

/** EC2's answer for each instance; no entry where EC2 did not answer. */
export type Answers = ReadonlyMap<string, Instance | 'absent'>;

/** Describes the instances of a batch: at most one DescribeInstances for each region. */
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
        // EC2 refuses the whole call where one of the instances is in an unavailable zone
        if (error instanceof UpstreamError) await Promise.all(alone.map((id) => describe(region, [id])));
      }
    }

    /** @returns why EC2 did not answer; undefined where it did. */
    async function describe(region: string, ids: readonly string[]): Promise<unknown> {
      meter.count('ec2Calls');
      try {
        const found = await instances.describe({ region }, ids, timeoutMs);
        for (const id of ids) answers.set(id, found.get(id) ?? 'absent');
        for (const instance of found.values()) reasons.learn(instance);
        return undefined;
      } catch (error) {
        log.warn('EC2 did not describe instances; messages that depend on it are retried', {
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
  /** It was claimed just now, and earlier events about it may have been dropped. */
  readonly isLate: boolean;
  readonly described: Instance | 'absent' | undefined;
};

/** The observation of a VM's state in EC2's answer, where no event has reported it. */
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

/** EventBridge's time of `pending` is within these seconds of the launch; no instance runs and stops within them. */
const pendingWithinSeconds = 5;

/**
 * The time of a first state in EC2's answer, in seconds since 1970: that of a listing, before all events that may still arrive. For a
 * recently launched instance, the events of the launch may still arrive, and must not be newer: `pending` gets the time of the launch, and
 * `running` a later one. Undefined for its other states, which events report.
 */
const timeOf = ({ state, launchedAtMs }: Instance, nowMs: number): number | undefined => {
  const listedAt = listingTime(nowMs);
  if (!isRecentlyLaunched(launchedAtMs, nowMs)) return listedAt;
  const launchedAt = Math.floor(launchedAtMs / 1000);
  if (state === 'pending') return launchedAt;
  if (state !== 'running') return undefined;
  return Math.max(listedAt, Math.min(launchedAt + pendingWithinSeconds, Math.floor(nowMs / 1000)));
};

/** Whether a checked transition has ended without its event, or events were dropped before the claim. */
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
 * The addresses in EC2's answer of an instance that is held to be in `state`. An instance has the public address only while it is `running`;
 * where EC2 shows none, it may not be assigned yet.
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

/** Adds the addresses, which events do not have, from EC2's answer, which is later than the event. */
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
 * Caches why instances were terminated. EC2 shows the reason from `shutting-down` on, before `terminated`: so one call describes all
 * instances that are shutting down, and a mass termination costs a call or two, not one for each instance.
 */
export const terminations = () => {
  const leaving = new LRUCache<string, string>({ max: maximumLeaving }); // instance id → region
  const reasons = new LRUCache<string, StateReason>({ max: 1_000 });

  return {
    /** Adds an instance of ours that is shutting down. */
    expect({ resourceId, region }: Pick<Resource, 'resourceId' | 'region'>): void {
      if (!reasons.has(resourceId)) leaving.set(resourceId, region);
    },

    /** The instances of a region that are shutting down. */
    leaving: (region: string): string[] =>
      [...leaving.entries()].flatMap(([id, where]) => (where === region ? [id] : [])),

    learn({ resourceId, state, reason }: Instance): void {
      if (!reason || (state !== 'shutting-down' && state !== 'terminated')) return;
      leaving.delete(resourceId);
      reasons.set(resourceId, reason);
    },

    reasonOf: (resourceId: string): StateReason | undefined => reasons.get(resourceId),

    /** Whether a group ends in `terminated`, and only EC2's reason decides between DELETED and FAILED. */
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
