import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { vmSpec } from '../local/demo/catalog-item.ts';
import { providerApiClient } from '../local/demo/provider-api-client.ts';
import { startMeasuredStack } from './emulators.ts';
import type { Figures } from './figures.ts';
import { median } from './measure.ts';
import { region } from './workload.ts';

const vms = 20;
/** As many as the stack has processes for. */
const atOnce = 3;
const timeoutMs = 60_000;
const betweenRequestsMs = 5;

const Instance = z.object({ state: z.string().optional() });

/** How long it takes until the inventory-api says that an instance runs, next to DCM's row, in the same stack and of the same instances. */
export const inventoryLag = async (): Promise<Figures> => {
  const ranAtMs = new Map<string, number>();
  /** When an answer first had it as running. */
  const servedAtMs = new Map<string, Promise<number>>();
  await using stack = await startMeasuredStack({
    onTransition: ({ instanceId, state, atMs }) => {
      if (state !== 'running') return;
      ranAtMs.set(instanceId, atMs);
      const served = untilServed(instanceId);
      served.catch(() => undefined); // awaited below
      servedAtMs.set(instanceId, served);
    },
  });
  const { controlPlane, endpoints } = stack;
  if (controlPlane === undefined) throw new Error('The stack has no control plane.');
  const api = providerApiClient(endpoints);

  async function untilServed(instanceId: string): Promise<number> {
    const url = `${endpoints.inventoryUrl}/targets/${region}/instances/${instanceId}`;
    const headers = { authorization: `Bearer ${endpoints.inventoryToken}` };
    for (const untilMs = Date.now() + timeoutMs; Date.now() < untilMs; ) {
      const response = await fetch(url, { headers });
      const atMs = Date.now();
      const text = await response.text(); // a 404 while the inventory does not know it
      if (response.status === 200 && Instance.parse(JSON.parse(text)).state === 'running') return atMs;
      await sleep(betweenRequestsMs);
    }
    throw new Error(`The inventory-api did not serve ${instanceId} as running.`);
  }

  const times = { row: [] as number[], served: [] as number[] };
  const left = Array.from({ length: vms }, (_, n) => `vm-${n}`).values();
  const createOneByOne = async () => {
    for (const id of left) {
      await api.of('vms').create(id, vmSpec(id));
      const { appliedAtMs, message = '' } = await controlPlane.waitFor(id, 'running', timeoutMs);
      const [instanceId = ''] = /i-[0-9a-f]+/.exec(message) ?? [];
      const ranAt = ranAtMs.get(instanceId) ?? Number.NaN;
      times.row.push(appliedAtMs - ranAt);
      times.served.push(((await servedAtMs.get(instanceId)) ?? Number.NaN) - ranAt);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, createOneByOne));
  return { inventory_lag_ratio: median(times.served) / median(times.row) };
};
