import { setTimeout as sleep } from 'node:timers/promises';
import ky from 'ky';
import * as z from 'zod';
import type { Endpoints } from '../stack/start-stack.ts';

const timeoutMs = 20_000;

const Instances = z.object({
  resources: z.array(z.object({ displayName: z.string().optional(), managed: z.boolean() })),
});

type Scenario = {
  readonly endpoints: Pick<Endpoints, 'inventoryUrl' | 'inventoryToken'>;
  readonly region: string;
  readonly print: (text: string) => void;
};

/**
 * Reads the inventory of a region until it shows instances that DCM manages and at least two that it does not.
 * @returns the names of those that it does not manage. @throws where they do not appear
 */
export const runInventoryScenario = async ({ endpoints, region, print }: Scenario): Promise<string[]> => {
  const url = `${endpoints.inventoryUrl}/targets/${region}/instances?detail=0`;
  const headers = { authorization: `Bearer ${endpoints.inventoryToken}` };
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    const answer = await ky(url, { headers, throwHttpErrors: false });
    const { resources } = answer.status === 200 ? Instances.parse(await answer.json()) : { resources: [] };
    const unmanaged = resources.filter(({ managed }) => !managed).map(({ displayName = '' }) => displayName);
    if (unmanaged.length >= 2 && unmanaged.length < resources.length) {
      print(
        `The inventory of ${region} shows ${resources.length} instances; DCM does not manage ${unmanaged.join(' and ')}.`,
      );
      return unmanaged;
    }
    await sleep(200);
  }
  throw new Error(`the inventory of ${region} did not show the instances within ${timeoutMs / 1000} s`);
};
