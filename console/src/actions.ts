import { batch, signal } from '@preact/signals';
import * as z from 'zod/mini';
import type { ServiceType } from '../../shared/core/kind.ts';
import { ask, control, Resource, serviceIdOf, sizeOf } from './api.ts';
import {
  addLaunched,
  collectionOf,
  laptop,
  lookNow,
  nameOf,
  notice,
  open,
  pathOf,
  placeNow,
  type Row,
  refreshTargets,
  removeIfGone,
  targetNamed,
} from './state.ts';

/** What must be confirmed, because it cannot be undone. */
export type Question = { readonly text: string; readonly button: string; readonly confirmed: () => void };
export const question = signal<Question | undefined>(undefined);
/** The row that gets the focus once it is there. */
export const focused = signal<string | undefined>(undefined);
export const isLaunching = signal(false);
// A launch begins without what an earlier action said.
isLaunching.subscribe(() => {
  notice.value = undefined;
});
/** What was asked for and is not answered yet. */
export const asking = signal<string | undefined>(undefined);

/** Says what failed. @returns whether it did not */
const run = async (what: string, action: () => Promise<unknown>): Promise<boolean> => {
  asking.value = what;
  try {
    await action();
    notice.value = undefined;
    return true;
  } catch (error) {
    notice.value = `${what}: ${error instanceof Error ? error.message : String(error)}`;
    return false;
  } finally {
    asking.value = undefined;
    lookNow();
  }
};

export type Action = 'start' | 'stop' | 'reboot' | 'delete';
const words = { start: 'Start', stop: 'Stop', reboot: 'Reboot', delete: 'Delete' } as const;

/** The actions that the provider has for a row in its status. */
export const actionsOf = (row: Row): readonly Action[] => {
  if (targetNamed(row.target)?.mayWrite !== true) return [];
  const { status } = row.current.value;
  if (status === 'DELETED' || status === 'DELETING') return [];
  if (row.serviceType !== 'vm') return ['delete'];
  if (status === 'RUNNING') return ['stop', 'reboot', 'delete'];
  return status === 'STOPPED' ? ['start', 'delete'] : ['delete'];
};

export const act = (row: Row, action: Action): void => {
  const perform = () =>
    run(`${words[action]} ${row.dcmId}`, async () => {
      if (action !== 'delete') return ask(`${pathOf(row)}:${action}`, { method: 'POST' });
      await ask(pathOf(row), { method: 'DELETE' });
      return removeIfGone(row); // one that had ended before has no further status
    });
  if (action === 'start') void perform();
  else
    question.value = {
      text: `${words[action]} the ${nameOf[row.serviceType]} ${row.dcmId}?`,
      button: `${words[action]} ${row.dcmId}`,
      confirmed: perform,
    };
};

/** A spec as DCM sends it, to be changed before it is sent. */
export const specOf = (serviceType: ServiceType, name: string): object => {
  const common = { service_type: serviceType, metadata: { name } };
  if (serviceType === 'cluster') return { ...common, version: '1.34' };
  if (serviceType === 'container')
    return {
      ...common,
      image: { reference: 'docker.io/library/nginx:alpine' },
      resources: { cpu: { min: '250m', max: '500m' }, memory: { min: '256MB', max: '512MB' } },
      network: { ports: [{ container_port: 80, visibility: 'internal' }] },
    };
  return {
    ...common,
    vcpu: { count: 2 },
    memory: { size: '4GB' },
    storage: { disks: [{ name: 'boot', capacity: '20GB' }] },
    guest_os: { type: 'amazon-linux-2023' },
  };
};

const Labelled = z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()) }) });

/** The labels of a spec; none where it has none, or wrong ones, which the provider refuses. */
const labelsOf = (spec: unknown): Readonly<Record<string, string>> =>
  Labelled.safeParse(spec).data?.metadata.labels ?? {};

type Launch = {
  readonly serviceType: ServiceType;
  readonly id: string;
  /** The key of the target. */
  readonly target: string;
  /** JSON. */
  readonly spec: string;
};

/** Creates a resource, then shows its row and its timeline. @returns whether the provider accepted it */
export const launch = ({ serviceType, id, target, spec }: Launch): Promise<boolean> =>
  run(`Launch ${id}`, async () => {
    const path = `${targetNamed(target)?.path ?? ''}/api/v1alpha1/${collectionOf[serviceType]}`;
    const body = { spec: JSON.parse(spec) };
    const answer = await ask(`${path}?id=${encodeURIComponent(id)}`, { method: 'POST', body });
    const made = Resource.parse(await answer.json());
    const time = made.create_time ?? new Date().toISOString();
    batch(() => {
      const row = addLaunched({
        ...{ dcmId: made.id, serviceType, target, status: made.status, time, createdAt: time },
        message: made.status_message ?? '',
        ...{ resourceId: serviceIdOf(made), size: sizeOf(made), labels: labelsOf(body.spec) },
        history: [{ status: made.status, time }],
      });
      placeNow();
      isLaunching.value = false;
      open.value = row.key;
      focused.value = row.key;
    });
  });

// On a laptop alone.

const runControl = (what: string, path: string, body: object) =>
  run(what, async () => {
    laptop.value = await control(path, body);
    await refreshTargets();
  });

export const setNats = (running: boolean) =>
  runControl(running ? 'Start NATS' : 'Stop NATS', '/nats', { running });

export const setFault = (id: string, label: string, isOn: boolean) =>
  runControl(label, `/faults/${id}`, { isOn });

/** Something that happens to a resource without a request. */
export const happen = (row: Row, { id, label }: { readonly id: string; readonly label: string }): void => {
  question.value = {
    text: `${label}: ${row.dcmId}?`,
    button: `${label}: ${row.dcmId}`,
    confirmed: () =>
      runControl(
        `${label}: ${row.dcmId}`,
        `/resources/${row.serviceType}/${encodeURIComponent(row.resourceId.peek())}/${id}`,
        {},
      ),
  };
};
