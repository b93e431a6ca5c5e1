import type { InstanceState } from '../../shared/service-types/vm/kind.ts';
import type { Consumed } from '../emulators/dcm/status-history.ts';
import type { Actor } from './ec2-actions.ts';

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
  const events = history.filter(({ id }) => id === actor.dcmId);
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

/**
 * What is wrong with what DCM was told; nothing, where the provider keeps its promises. Of what only listings show, DCM need only be told how
 * it ended. Of everything else it must be told each transition: the demo's EC2 leaves the provider the time.
 */
export const faultsIn = (
  actors: readonly Actor[],
  transitions: readonly Transition[],
  history: readonly Consumed[],
): string[] => {
  const vms = actors.filter(({ dcmId }) => dcmId !== undefined);
  const known = new Set(vms.map(({ dcmId }) => dcmId));
  const eventIds = history.map(({ eventId }) => eventId);
  const pairs = vms.map((actor) => ({ actor, ...pair(actor, transitions, history) }));
  return [
    ...pairs.flatMap(({ actor, missing }) =>
      missing
        .filter(({ state }) => actor.seenBy === 'events' || state === 'terminated')
        .map(({ state }) => `DCM was not told that ${actor.name} is ${state}`),
    ),
    ...history.filter(({ id }) => !known.has(id)).map(({ id }) => `DCM was told of ${id}, which is not ours`),
    ...eventIds.filter((id, index) => eventIds.indexOf(id) !== index).map((id) => `DCM was told ${id} twice`),
    ...vms
      .filter((actor) => !isAscending(history, actor))
      .map(({ name }) => `DCM was told of ${name} out of order`),
  ];
};

const isAscending = (history: readonly Consumed[], { dcmId }: Actor): boolean => {
  const sequences = history.filter(({ id }) => id === dcmId).map(({ sequence = '' }) => sequence);
  return sequences.every((sequence, index) => index === 0 || (sequences[index - 1] ?? '') < sequence);
};
