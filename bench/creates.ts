import { vmSpec } from '../local/demo/catalog-item.ts';
import { providerApiClient } from '../local/demo/provider-api-client.ts';
import type { Stack } from '../local/stack/start-stack.ts';
import { startMeasuredStack } from './emulators.ts';
import type { Figures } from './figures.ts';
import { timed } from './measure.ts';

const vms = 20;
/** As many as the stack has processes for: on AWS each create has its own. */
const atOnce = 3;
const parallel = 50;

/** How long creates take while EC2 throttles, and how often EC2 is asked for a VM that DCM asks for many times at once. */
export const creates = async (): Promise<Figures> => {
  await using stack = await startMeasuredStack();
  return {
    create_throttled_slowest_ms: await throttledCreates(stack),
    create_50_parallel_run_instances: await parallelCreates(stack),
  };
};

const throttledCreates = async ({ endpoints, ec2 }: Stack): Promise<number> => {
  const api = providerApiClient(endpoints);
  const left = Array.from({ length: vms }, (_, n) => `throttled-${n}`).values();
  const times: number[] = [];
  const createOneByOne = async () => {
    for (const dcmId of left) times.push(await timed(() => api.create(dcmId, vmSpec(dcmId))));
  };
  ec2?.faults({ throttle: 0.5 });
  await Promise.all(Array.from({ length: atOnce }, createOneByOne));
  ec2?.faults({ throttle: 0 });
  return Math.max(...times);
};

const parallelCreates = async ({ endpoints, ec2 }: Stack): Promise<number> => {
  const api = providerApiClient(endpoints);
  const launches = () => ec2?.calls().RunInstances ?? 0;
  const before = launches();
  await Promise.all(Array.from({ length: parallel }, () => api.create('parallel', vmSpec('parallel'))));
  return launches() - before;
};
