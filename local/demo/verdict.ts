import type { InstanceState } from '../../shared/service-types/vm/kind.ts';
import type { Consumed } from '../emulators/dcm/older/history.ts';
import type { Actor } from './cast.ts';

/** What EC2 did, on the simulator's clock. */
export type Transition = {
  readonly instanceId: string;
  readonly state: InstanceState;
  readonly atMs: number;
};

/** Which statuses a transition may show as at DCM: how a VM ended is for the provider to find out. */
const shownAs: Record<InstanceState, readonly string[]> = {
  pending: ['provisioning'],
  running: ['running'],
  stopping: ['stopping'],
  stopped: ['stopped'],
  'shutting-down': ['deleting'],
  terminated: ['deleted', 'failed'],
};

/** One transition and the event that brought it to DCM. */
export type Told = {
  readonly actor: Actor;
  readonly transition: Transition;
  readonly consumed: Consumed;
  readonly ms: number;
};

/** Pairs each transition of a VM with the event that told DCM; a transition without one is missing. */
export const pair = (actor: Actor, transitions: readonly Transition[], history: readonly Consumed[]) => {
  const told: Told[] = [];
  const missing: Transition[] = [];
  const events = history.filter(({ id }) => id === actor.vmId);
  let next = 0;
  const own = transitions.filter(({ instanceId }) => instanceId === actor.instanceId);
  for (const [step, transition] of own.entries()) {
    const { state, atMs } = transition;
    const later = own.slice(step + 1).find((one) => one.state === state)?.atMs ?? Number.POSITIVE_INFINITY;
    const found = events.findIndex(
      ({ status = '', appliedAtMs }, index) =>
        index >= next && appliedAtMs >= atMs && appliedAtMs < later && shownAs[state].includes(status),
    );
    const consumed = events[found];
    if (consumed === undefined) {
      missing.push(transition);
      continue;
    }
    told.push({ actor, transition, consumed, ms: consumed.appliedAtMs - transition.atMs });
    next = found + 1;
  }
  return { told, missing };
};

/** What is wrong with what DCM was told; nothing, where the provider keeps its promises. */
export const faultsIn = (
  actors: readonly Actor[],
  transitions: readonly Transition[],
  history: readonly Consumed[],
): string[] => {
  const vms = actors.filter(({ vmId }) => vmId !== undefined);
  const known = new Set(vms.map(({ vmId }) => vmId));
  const eventIds = history.map(({ eventId }) => eventId);
  const pairs = vms.map((actor) => ({ actor, ...pair(actor, transitions, history) }));
  const slowestMs = Math.max(0, ...pairs.flatMap(({ actor, told }) => latencies(actor, told)));
  const isSlower = (transition: Transition) => slowestMs > lastedMs(transition, transitions);
  return [
    ...pairs.flatMap((one) =>
      mustBeTold(one.actor, one)
        .filter((transition) => !isPassing(transition) || !isSlower(transition))
        .map(({ state }) => `DCM was not told that ${one.actor.name} is ${state}`),
    ),
    ...history.filter(({ id }) => !known.has(id)).map(({ id }) => `DCM was told of ${id}, which is not ours`),
    ...eventIds.filter((id, index) => eventIds.indexOf(id) !== index).map((id) => `DCM was told ${id} twice`),
    ...vms
      .filter((actor) => !isAscending(history, actor))
      .map(({ name }) => `DCM was told of ${name} out of order`),
  ];
};

/**
 * Of what only listings show, DCM need only be told how it ended. A first `pending` may be over before anybody has asked EC2 whose the
 * instance is.
 */
const mustBeTold = (
  { seenBy }: Actor,
  { told, missing }: { readonly told: readonly Told[]; readonly missing: readonly Transition[] },
): readonly Transition[] => {
  if (seenBy === 'listings') return missing.filter(({ state }) => state === 'terminated');
  const [first, ...others] = missing;
  const isStart = first?.state === 'pending' && told.every(({ transition }) => transition.atMs > first.atMs);
  return isStart ? others : missing;
};

const latencies = ({ seenBy }: Actor, told: readonly Told[]): number[] =>
  seenBy === 'events' ? told.map(({ ms }) => ms) : [];

/** What ends by itself need not be told where this machine took longer to tell anything than it lasted: it was over by then. */
const isPassing = ({ state }: Transition): boolean => /pending|stopping|shutting-down/.test(state);

const lastedMs = ({ instanceId, atMs }: Transition, transitions: readonly Transition[]): number => {
  const next = transitions.find((one) => one.instanceId === instanceId && one.atMs > atMs);
  return next === undefined ? Number.POSITIVE_INFINITY : next.atMs - atMs;
};

const isAscending = (history: readonly Consumed[], { vmId }: Actor): boolean => {
  const sequences = history.filter(({ id }) => id === vmId).map(({ sequence = '' }) => sequence);
  return sequences.every((sequence, index) => index === 0 || (sequences[index - 1] ?? '') < sequence);
};
