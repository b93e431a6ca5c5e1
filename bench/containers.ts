import { containerSpec, type DemoSpec, vmSpec } from '../local/demo/catalog-item.ts';
import { providerApiClient } from '../local/demo/provider-api-client.ts';
import { startMeasuredStack } from './emulators.ts';
import type { Figures } from './figures.ts';
import { median } from './measure.ts';

/** Of each service type; the first ones, whose code each function still has to load and compile, are not measured. */
const resources = 35;
const warmUp = 15;
/** As many as the stack has processes for. */
const atOnce = 3;
const timeoutMs = 60_000;

/**
 * How long a container's RUNNING takes to DCM's row, next to a VM's in the same stack, and how long DCM waits for the end of a container
 * that ignores the signal to end: ECS kills it after the stop time-out that the provider asks for.
 */
export const containers = async (): Promise<Figures> => {
  /** When each instance and task ran, by its id. */
  const ranAtMs = new Map<string, number>();
  await using stack = await startMeasuredStack({
    hasPublicContainers: false, // as VMs in this stack: no address has to be asked for
    onTransition: ({ instanceId, state, atMs }) =>
      void (state === 'running' && ranAtMs.set(instanceId, atMs)),
    ecs: {
      onTransition: ({ taskId, lastStatus, atMs }) =>
        void (lastStatus === 'RUNNING' && !ranAtMs.has(taskId) && ranAtMs.set(taskId, atMs)),
    },
  });
  const { controlPlane, endpoints } = stack;
  if (controlPlane === undefined) throw new Error('The stack has no control plane.');
  const api = providerApiClient(endpoints);

  const measured: Record<'vms' | 'containers', number[]> = { vms: [], containers: [] };
  const measure = async (
    collection: 'vms' | 'containers',
    spec: (name: string) => DemoSpec,
    n: number,
  ): Promise<void> => {
    const id = `${collection}-${n}`;
    await api.of(collection).create(id, spec(id));
    const { appliedAtMs, message = '' } = await controlPlane.waitFor(id, 'running', timeoutMs);
    const [resourceId = ''] = /i-[0-9a-f]+|[0-9a-f]{32}/.exec(message) ?? [];
    if (n >= warmUp) measured[collection].push(appliedAtMs - (ranAtMs.get(resourceId) ?? Number.NaN));
  };
  /** A VM and a container in turn, so that both are measured while the machine is equally fast. */
  const left = Array.from({ length: resources }, (_, n) => n).values();
  const createOneByOne = async () => {
    for (const n of left) {
      await measure('vms', vmSpec, n);
      await measure('containers', containerSpec, n);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, createOneByOne));
  const [vmMs, containerMs] = [median(measured.vms), median(measured.containers)];

  const stubborn = 'stubborn';
  await api.of('containers').create(stubborn, containerSpec(stubborn, { command: ['ignore-sigterm'] }));
  await controlPlane.waitFor(stubborn, 'running', timeoutMs);
  const askedAtMs = Date.now();
  await api.of('containers').delete(stubborn);
  const { receivedAtMs } = await controlPlane.waitFor(stubborn, 'deleted', timeoutMs);
  return {
    container_row_ratio: containerMs / vmMs,
    container_row_p50_ms: containerMs,
    container_delete_s: (receivedAtMs - askedAtMs) / 1_000,
  };
};
