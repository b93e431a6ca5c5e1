import { EC2Client } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cast } from '../../local/demo/ec2-actions.ts';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { provider, silentRegion } from '../../local/stack/options.ts';
import { untilNextSecond } from './next-second.ts';
import { type TestStack, testStack } from './stack.ts';

const soon = 60_000;

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

  it('has every row told again where somebody wants that, and says how the regions stand', async () => {
    const vms = await Promise.all(
      ['again-1', 'again-2'].map((name) => stack.actions.launch({ name, owner: 'us', provider })),
    );
    const vmIds = vms.map(({ vmId = '' }) => vmId);
    for (const vmId of vmIds) await stack.controlPlane.waitFor(vmId, 'running', soon);
    const repeats = (vmId: string) =>
      stack.controlPlane
        .history()
        .filter(({ id, eventId = '' }) => id === vmId && eventId.endsWith(':again'))
        .map(({ status }) => status);
    const before = vmIds.map((vmId) => repeats(vmId).length);
    const ask = (request: object) => stack.lambda.invoke(`${provider}-poller`, request);
    await untilNextSecond(); // requests of one second are one

    // One invocation after the other, so that no listing comes in between.
    const [wanted, status, released] = await Promise.all([
      ask({ do: 'republish', region: 'us-east-1' }),
      ask({ do: 'regions' }),
      ask({ do: 'release', region: 'us-east-1' }),
    ]);

    expect(wanted).toEqual({ wanted: true });
    expect(status).toMatchObject({
      regions: [{ region: 'us-east-1', republishWanted: true }, { region: silentRegion }],
    });
    expect(released).toEqual({ released: false });
    await expect
      .poll(() => vmIds.map((vmId, vm) => repeats(vmId).slice(before[vm])), { timeout: soon })
      .toEqual(vmIds.map(() => expect.arrayContaining(['running'])));
    await expect
      .poll(() => ask({ do: 'regions' }), { timeout: soon })
      .toMatchObject({
        regions: [{ republishWanted: false, lastListedAt: expect.any(String) }, {}],
      });
  });
});
