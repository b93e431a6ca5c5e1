import { EC2Client } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cast } from '../../local/demo/cast.ts';
import { provider, silentRegion } from '../../local/options.ts';
import { clientConfig } from '../../local/parts/client-config.ts';
import { type TestStack, testStack } from './stack.ts';

const soon = 40_000;

describe('polling', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await testStack({ pollFloorSeconds: 1 });
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  const statuses = (vmId: string) =>
    stack.controlPlane
      .history()
      .filter(({ id }) => id === vmId)
      .map(({ status }) => status);

  it('reports the VMs of a region that sends no events at all', async () => {
    const ec2 = new EC2Client(clientConfig(stack.endpoints.ec2Url, silentRegion));
    const silent = cast(ec2, () => undefined);
    const vm = await silent.launch({ name: 'legacy', owner: 'us', provider });
    const vmId = vm.vmId ?? '';
    await expect.poll(() => statuses(vmId).at(-1), { timeout: soon }).toBe('running');

    await silent.terminate(vm);
    await expect.poll(() => statuses(vmId).at(-1), { timeout: soon }).toBe('deleted');
    ec2.destroy();
  });

  it('heals what events lost', async () => {
    const vm = await stack.actions.launch({ name: 'lost', owner: 'us', provider });
    const vmId = vm.vmId ?? '';
    await stack.controlPlane.waitFor(vmId, 'running', soon);
    stack.ec2?.faults({ loseEvents: 1 });
    await stack.actions.terminate(vm);
    await expect.poll(() => statuses(vmId).at(-1), { timeout: soon }).toBe('deleted');
    stack.ec2?.faults({ loseEvents: 0 });

    const healed = stack.said.filter(
      (line) => line.includes('"resyncHealed":1') && line.includes('us-east-1'),
    );
    expect(healed.length).toBeGreaterThanOrEqual(1);
  });
});
