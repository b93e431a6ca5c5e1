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
 * event, because the demo's EC2 leaves the provider the time. Of a VM that only listings report, only the end must.
 */
export const statusErrors = (
  instances: readonly DemoInstance[],
  transitions: readonly Transition[],
  history: readonly Consumed[],
): string[] => {
  const vms = instances.filter(({ dcmId }) => dcmId !== undefined);
  const known = new Set(vms.map(({ dcmId }) => dcmId));
  const eventIds = history.map(({ eventId }) => eventId);
  const matches = vms.map((instance) => ({ instance, ...matchEvents(instance, transitions, history) }));
  return [
    ...matches.flatMap(({ instance, missing }) =>
      missing
        .filter(({ state }) => instance.reportedBy === 'events' || state === 'terminated')
        .map(({ state }) => `no status reported that ${instance.name} is ${state}`),
    ),
    ...history
      .filter(({ id }) => !known.has(id))
      .map(({ id }) => `a status of ${id} was reported, which is not ours`),
    ...eventIds
      .filter((id, index) => eventIds.indexOf(id) !== index)
      .map((id) => `the event ${id} was published twice`),
    ...vms
      .filter((instance) => !isInOrder(history, instance))
      .map(({ name }) => `the statuses of ${name} were published out of order`),
  ];
};

const isInOrder = (history: readonly Consumed[], { dcmId }: DemoInstance): boolean => {
  const sequences = history.filter(({ id }) => id === dcmId).map(({ sequence = '' }) => sequence);
  return sequences.every((sequence, index) => index === 0 || (sequences[index - 1] ?? '') < sequence);
};
