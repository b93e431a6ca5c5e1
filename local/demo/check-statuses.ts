import type { InstanceState } from '../../shared/service-types/vm/kind.ts';
import type { Consumed } from '../emulators/dcm/status-history.ts';
import type { DemoInstance } from './ec2-actions.ts';

/** A state change in EC2, on the simulator's clock. */
export type Transition = {
  readonly instanceId: string;
  readonly state: InstanceState;
  readonly atMs: number;
};

/** The statuses that DCM may get for a state: the provider decides whether an ended VM is DELETED or FAILED. */
const expectedStatuses: Record<InstanceState, readonly string[]> = {
  pending: ['provisioning'],
  running: ['running'],
  stopping: ['stopping'],
  stopped: ['stopped'],
  'shutting-down': ['deleting'],
  terminated: ['deleted', 'failed'],
};

/** A container or a cluster of the demo. */
export type DemoResource = {
  readonly name: string;
  readonly dcmId: string;
  /** The statuses that DCM must get, in order. */
  readonly statuses: readonly string[];
};

/** What the demo has seen. */
export type Observed = {
  readonly instances: readonly DemoInstance[];
  /** What EC2 did. */
  readonly transitions: readonly Transition[];
  /** What DCM consumed. */
  readonly history: readonly Consumed[];
  readonly resources: readonly DemoResource[];
};

/** A transition and the time from EC2's change to the update of DCM's row. */
type ReportedTransition = { readonly instance: DemoInstance; readonly ms: number };

/** Finds the status event of each transition of a VM. `missing` are the transitions without one. */
export const matchEvents = (
  instance: DemoInstance,
  transitions: readonly Transition[],
  history: readonly Consumed[],
) => {
  const reported: ReportedTransition[] = [];
  const missing: Transition[] = [];
  const events = history.filter(({ id }) => id === instance.dcmId);
  let next = 0;
  const own = transitions.filter(({ instanceId }) => instanceId === instance.instanceId);
  for (const [step, transition] of own.entries()) {
    const { state, atMs } = transition;
    const endMs = own.slice(step + 1).find((one) => one.state === state)?.atMs ?? Number.POSITIVE_INFINITY;
    const found = events.findIndex(
      ({ status = '', appliedAtMs }, index) =>
        index >= next &&
        appliedAtMs >= atMs &&
        appliedAtMs < endMs &&
        expectedStatuses[state].includes(status),
    );
    const consumed = events[found];
    if (consumed === undefined) {
      missing.push(transition);
      continue;
    }
    reported.push({ instance, ms: consumed.appliedAtMs - atMs });
    next = found + 1;
  }
  return { reported, missing };
};

/**
 * Compares the status events that DCM consumed with what EC2 did; a sentence for each error. Every transition of a VM must have its
 * event, because the demo's EC2 leaves the provider the time; but the first `pending`, since a VM may run before the provider has found out whose it
 * is. Of a VM that only listings report, only the end must. Containers and clusters must have exactly their statuses.
 */
export const statusErrors = ({ instances, transitions, history, resources }: Observed): string[] => {
  const vms = instances.filter(({ dcmId }) => dcmId !== undefined);
  const reported = [...vms, ...resources];
  const known = new Set(reported.map(({ dcmId }) => dcmId));
  const eventIds = history.map(({ eventId }) => eventId);
  const matches = vms.map((instance) => ({ instance, ...matchEvents(instance, transitions, history) }));
  return [
    ...matches.flatMap(({ instance, missing }) =>
      missing
        .filter(({ state }) => instance.reportedBy === 'events' || state === 'terminated')
        .filter((one) => one !== launchOf(instance, transitions))
        .map(({ state }) => `no status reported that ${instance.name} is ${state}`),
    ),
    ...history
      .filter(({ id }) => !known.has(id))
      .map(({ id }) => `a status of ${id} was reported, which is not ours`),
    ...eventIds
      .filter((id, index) => eventIds.indexOf(id) !== index)
      .map((id) => `the event ${id} was published twice`),
    ...reported
      .filter((resource) => !isInOrder(history, resource))
      .map(({ name }) => `the statuses of ${name} were published out of order`),
    ...resources.flatMap((resource) => courseErrors(history, resource)),
  ];
};

/** The transition with which an instance begins. */
const launchOf = ({ instanceId }: DemoInstance, transitions: readonly Transition[]): Transition | undefined =>
  transitions.find((one) => one.instanceId === instanceId && one.state === 'pending');

/** A status that is republished, such as with an address, counts once. */
const courseErrors = (history: readonly Consumed[], { name, dcmId, statuses }: DemoResource): string[] => {
  const all = history.filter(({ id }) => id === dcmId).map(({ status = '' }) => status);
  const seen = all.filter((status, index) => status !== all[index - 1]);
  if (seen.join() === statuses.join()) return [];
  return [`the statuses of ${name} were ${seen.join(', ') || 'none'}, not ${statuses.join(', ')}`];
};

const isInOrder = (
  history: readonly Consumed[],
  { dcmId }: Pick<DemoInstance | DemoResource, 'dcmId'>,
): boolean => {
  const sequences = history.filter(({ id }) => id === dcmId).map(({ sequence = '' }) => sequence);
  return sequences.every((sequence, index) => index === 0 || (sequences[index - 1] ?? '') < sequence);
};
