import { describe, expect, it } from 'vitest';
import { FailedPreconditionError, NotFoundError, UnavailableError } from '../../../shared/core/errors.ts';
import { clientToken } from '../../../shared/service-types/client-token.ts';
import type { Instance } from '../../../shared/service-types/vm/ports.ts';
import { described } from '../../fakes/scripted-instances.ts';
import { launchPlan, vmFacts } from '../../fixtures/launches.ts';
import { halfPastTen } from '../../fixtures/resource-messages.ts';
import { asked, dcmId, provider } from './provider.ts';

const region = 'us-east-1';
const account = '123456789012';
const byHand = 'i-0000000000000beef';
const operations = ['delete', 'stop', 'start', 'reboot'] as const;
type World = ReturnType<typeof provider>;

const tagsOf = (id: string) => ({ ...launchPlan().tags, 'dcm-instance-id': id });
const act = (
  { remove, change }: World,
  operation: (typeof operations)[number],
  id = dcmId,
): Promise<unknown> => (operation === 'delete' ? remove(id) : change(id, operation));
const stateFor = (operation: (typeof operations)[number]) => (operation === 'start' ? 'stopped' : 'running');

/** A VM whose instance was launched an hour ago by somebody, tagged, and adopted by the normaliser. */
const adoptedVm = async (
  { adopted, ...instance }: Partial<Instance> & { readonly adopted?: boolean },
  more: Parameters<typeof provider>[0] = () => ({}),
) => {
  const world = provider(more);
  const facts = vmFacts({ launchedAtMs: (halfPastTen - 3600) * 1000 });
  world.ec2.instances.set(
    byHand,
    described({ resourceId: byHand, tags: tagsOf(dcmId), ...facts, ...instance }),
  );
  await world.parts.records.adopt({ dcmId, region, resourceId: byHand, account, facts, adopted });
  await world.parts.resourceStore.claim({ resourceId: byHand, dcmId, region, account });
  return world;
};

/** A VM that was launched through the API a minute and more ago. */
const launchedVm = async (world: World, id = dcmId) => {
  const { instance_id: instanceId = '' } = await world.create({ ...asked, dcmId: id });
  await world.happens('running', { resourceId: instanceId });
  return instanceId;
};
const retag = ({ ec2 }: World, instanceId: string, tags: Record<string, string>) => {
  const instance = ec2.instances.get(instanceId);
  if (instance) ec2.instances.set(instanceId, { ...instance, tags });
};
const changes = ({ ec2 }: World) => ec2.calls.filter((call) => !call.startsWith('run'));

describe('an instance that was tagged as a VM and not launched by this provider', () => {
  it.each(operations)('is not changed: %s is refused for good, with the reason', async (operation) => {
    const world = await adoptedVm({ adopted: true });
    await world.happens(stateFor(operation));

    const acting = act(world, operation);

    await expect(acting).rejects.toThrow(FailedPreconditionError);
    await expect(acting).rejects.toThrow(
      /adopted.*not launched by this provider.*provisioning\.changeAdopted/,
    );
    await expect(acting).rejects.toMatchObject({ retryable: false });
    expect(changes(world)).toEqual([]);
    expect(await world.read.get(dcmId)).toMatchObject({ adopted: true });
  });

  it.each(operations)(
    'is not changed by %s where the record is of an earlier version, without the field adopted',
    async (operation) => {
      const world = await adoptedVm({ clientToken: 'somebody-else' });
      await world.happens(stateFor(operation));

      await expect(act(world, operation)).rejects.toThrow(FailedPreconditionError);

      expect(changes(world)).toEqual([]);
    },
  );

  it.each(operations)('is changed by %s where provisioning.changeAdopted allows it', async (operation) => {
    const world = await adoptedVm({ adopted: true }, () => ({ changeAdopted: true }));
    await world.happens(stateFor(operation));

    await act(world, operation);

    expect(changes(world)).toHaveLength(1);
  });

  it('is not answered to a create with its DCM id', async () => {
    const world = await adoptedVm({ adopted: true });
    await world.happens('running');

    await expect(world.create(asked)).rejects.toThrow(FailedPreconditionError);
  });

  it('keeps its status when its deletion is refused, and ends when it is terminated', async () => {
    const world = await adoptedVm({ adopted: true });
    await world.happens('running');

    await expect(world.remove(dcmId)).rejects.toThrow(FailedPreconditionError);
    expect(await world.read.get(dcmId)).toMatchObject({ status: 'RUNNING' });
    await world.happens('terminated', { at: halfPastTen + 60 });

    await expect(world.remove(dcmId)).resolves.toBeUndefined();
  });

  it('is not taken as the orphan of a crashed creation', async () => {
    const world = provider();
    const { record } = await world.parts.records.begin({ dcmId, region, leaseMs: 1_000 });
    await world.parts.records.attempt(record, launchPlan(), 0);
    world.ec2.instances.set(byHand, described({ resourceId: byHand, tags: tagsOf(dcmId) }));
    world.clock.ms += 2_000;

    await world.remove(dcmId);

    expect(changes(world)).toEqual([]);
    expect(await world.parts.records.read(dcmId)).toBeUndefined();
  });
});

describe('an instance that this provider launched', () => {
  it.each(operations)('is changed by %s after the table was lost', async (operation) => {
    const token = clientToken('ec2-sp', { dcmId, generation: 99, attempt: 2 });
    const world = await adoptedVm({ clientToken: token });
    await world.happens(stateFor(operation));

    await act(world, operation);

    expect(changes(world)).toHaveLength(1);
  });

  it('counts as adopted after the table was lost, where its generation is beyond the hundredth', async () => {
    const token = clientToken('ec2-sp', { dcmId, generation: 100, attempt: 0 });
    const world = await adoptedVm({ clientToken: token });
    await world.happens('running');

    await expect(world.remove(dcmId)).rejects.toThrow(FailedPreconditionError);
  });

  it.each([
    ['EC2 does not show it yet', async () => new Map<string, Instance>()],
    [
      'EC2 does not show its tags yet',
      async (_: object, [id = '']: readonly string[]) =>
        new Map([[id, described({ resourceId: id, launchedAtMs: halfPastTen * 1000 })]]),
    ],
  ])('is deleted within a second of its launch although %s', async (_, describeInstances) => {
    const world = provider();
    await world.create(asked);
    world.ec2.describe = describeInstances;

    await world.remove(dcmId);

    expect(world.ec2.living()).toEqual([]);
  });

  it.each(operations)('is not changed by %s while EC2 does not show it', async (operation) => {
    const world = provider();
    await launchedVm(world);
    await world.happens(stateFor(operation), { at: halfPastTen + 1 });
    world.ec2.describe = () => Promise.reject(new UnavailableError('EC2 throttled the call'));

    await expect(act(world, operation)).rejects.toThrow(UnavailableError);

    expect(changes(world)).toEqual([]);
  });
});

describe('an instance whose tags have another DCM id', () => {
  it.each(operations)('is not changed by %s of the VM with the old id', async (operation) => {
    const world = provider();
    const instanceId = await launchedVm(world);
    await world.happens(stateFor(operation), { at: halfPastTen + 1 });
    retag(world, instanceId, tagsOf('vm-2')); // the normaliser has not heard of it yet

    const acting = act(world, operation);

    if (operation === 'delete') await acting;
    else await expect(acting).rejects.toThrow(NotFoundError);
    expect(changes(world)).toEqual([]);
  });

  it('is not found under the old id: GET answers 404, DELETE 204', async () => {
    const world = provider();
    const instanceId = await launchedVm(world);
    retag(world, instanceId, tagsOf('vm-2'));
    await world.parts.resourceStore.claim({ resourceId: instanceId, dcmId: 'vm-2', region, account });

    await expect(world.read.get(dcmId)).rejects.toThrow(NotFoundError);
    expect(
      (await world.read.list({ target: { region }, maximumPageSize: 10, pageToken: undefined })).results,
    ).toEqual([]);
    await world.remove(dcmId);

    expect(changes(world)).toEqual([]);
    expect((await world.read.events(dcmId)).results).toEqual([]);
  });

  it('is not deleted with the VM of the old id, where two instances swapped their ids', async () => {
    const world = provider();
    const first = await launchedVm(world);
    const second = await launchedVm(world, 'vm-2');
    retag(world, first, tagsOf('vm-2'));
    retag(world, second, tagsOf(dcmId));

    await world.remove(dcmId);
    await world.remove('vm-2');

    expect(changes(world)).toEqual([]);
  });

  it('is not terminated where the id moved between the request and the termination', async () => {
    const world = provider();
    const instanceId = await launchedVm(world);
    const { read } = world.parts.resourceStore;
    world.parts.resourceStore.read = async (ids) => {
      retag(world, instanceId, tagsOf('vm-2'));
      return read(ids);
    };

    await world.remove(dcmId);

    expect(changes(world)).toEqual([]);
  });

  it('is not changed where its tags were removed', async () => {
    const world = provider();
    const instanceId = await launchedVm(world);
    world.clock.ms += 120_000;
    retag(world, instanceId, {});

    await world.remove(dcmId);

    expect(changes(world)).toEqual([]);
  });

  it('is not changed where it is in another account', async () => {
    const world = await adoptedVm({ adopted: false, account: '999999999999' });
    await world.happens('running');

    await world.remove(dcmId);

    expect(changes(world)).toEqual([]);
  });
});
