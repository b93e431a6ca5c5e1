import { EC2 } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ec2Actions } from '../../local/demo/ec2-actions.ts';
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

  const statuses = (dcmId: string) =>
    stack.controlPlane
      .history()
      .filter(({ id }) => id === dcmId)
      .map(({ status }) => status);

  it('reports the VMs of a region that sends no events', async () => {
    const ec2 = new EC2(clientConfig(stack.endpoints.ec2Url, silentRegion));
    const silent = ec2Actions(ec2, () => undefined);
    const vm = await silent.launch({ name: 'legacy', owner: 'ours', provider });
    const dcmId = vm.dcmId ?? '';
    await expect.poll(() => statuses(dcmId).at(-1), { timeout: soon }).toBe('running');

    await silent.terminate(vm);
    await expect.poll(() => statuses(dcmId).at(-1), { timeout: soon }).toBe('deleted');
    ec2.destroy();
  });

  it('finds changes whose events were lost', async () => {
    const vm = await stack.actions.launch({ name: 'lost', owner: 'ours', provider });
    const dcmId = vm.dcmId ?? '';
    await stack.controlPlane.waitFor(dcmId, 'running', soon);
    stack.ec2?.faults({ loseEvents: 1 });
    await stack.actions.terminate(vm);
    await expect.poll(() => statuses(dcmId).at(-1), { timeout: soon }).toBe('deleted');
    stack.ec2?.faults({ loseEvents: 0 });

    const healed = stack.said.filter(
      (line) => line.includes('"resyncHealed":1') && line.includes('us-east-1'),
    );
    expect(healed.length).toBeGreaterThanOrEqual(1);
  });

  it('republishes every status on request, and reports the state of the regions', async () => {
    const vms = await Promise.all(
      ['again-1', 'again-2'].map((name) => stack.actions.launch({ name, owner: 'ours', provider })),
    );
    const dcmIds = vms.map(({ dcmId = '' }) => dcmId);
    for (const dcmId of dcmIds) await stack.controlPlane.waitFor(dcmId, 'running', soon);
    const repeats = (dcmId: string) =>
      stack.controlPlane
        .history()
        .filter(({ id, eventId = '' }) => id === dcmId && eventId.endsWith(':again'))
        .map(({ status }) => status);
    const before = dcmIds.map((dcmId) => repeats(dcmId).length);
    const ask = (request: object) => stack.lambda.invoke(`${provider}-poller`, request);
    await untilNextSecond(); // requests of one second are one
    stack.ec2?.faults({ refuse: { DescribeInstances: 'UnauthorizedOperation' } }); // no listing comes in between

    const wanted = await ask({ do: 'republish', region: 'us-east-1' });
    const status = await ask({ do: 'regions' });
    const released = await ask({ do: 'release', region: 'us-east-1' });
    stack.ec2?.faults({ refuse: {} });

    expect(wanted).toEqual({ wanted: true });
    expect(status).toMatchObject({
      regions: expect.arrayContaining([
        expect.objectContaining({ region: 'us-east-1', republishWanted: true }),
        expect.objectContaining({ region: silentRegion }),
        expect.objectContaining({ region: 'container#us-east-1', republishWanted: false }),
        expect.objectContaining({ region: 'cluster#us-east-1', republishWanted: false }),
      ]),
    });
    expect(released).toEqual({ released: false });
    await expect
      .poll(() => dcmIds.map((dcmId, vm) => repeats(dcmId).slice(before[vm])), { timeout: soon })
      .toEqual(dcmIds.map(() => expect.arrayContaining(['running'])));
    await expect
      .poll(() => ask({ do: 'regions' }), { timeout: soon })
      .toMatchObject({
        regions: expect.arrayContaining([
          expect.objectContaining({
            ...{ region: 'us-east-1', republishWanted: false, lastListedAt: expect.any(String) },
          }),
        ]),
      });
  });
});
