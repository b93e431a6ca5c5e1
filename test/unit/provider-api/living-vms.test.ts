import { describe, expect, it } from 'vitest';
import { countLiving } from '../../../functions/provider-api/read-resources.ts';
import { isLivingVm } from '../../../functions/provider-api/service-types/vm.ts';
import { asked, provider } from './provider.ts';

const regions = ['us-east-1', 'eu-west-1'];

/** So many VMs, and how many are counted where there may be at most `maximum`. */
const withVms = async (count: number, maximum: number) => {
  const world = provider();
  for (let number = 1; number <= count; number++) await world.create({ ...asked, dcmId: `vm-${number}` });
  const { records } = world.parts;
  return {
    ...world,
    living: countLiving({
      records,
      list: world.read.list,
      isLiving: isLivingVm,
      targets: regions.map((region) => ({ region })),
      maximum,
    }),
  };
};

describe('counting VMs', () => {
  it('covers all regions', async () => {
    const { living, create } = await withVms(2, 10);
    await create({ ...asked, dcmId: 'vm-3', region: 'eu-west-1' });
    await create({ ...asked, dcmId: 'vm-4', region: 'ap-south-1' });

    expect(await living()).toBe(3);
  });

  it('excludes VMs that are being deleted', async () => {
    const { living, remove } = await withVms(3, 10);

    await remove('vm-2');

    expect(await living()).toBe(2);
  });

  it('lists the VMs where there seem to be too many, and excludes those terminated outside DCM', async () => {
    const { living, happens } = await withVms(103, 103);
    await happens('terminated', { resourceId: 'i-00000000000000001' });
    await happens('terminated', {
      resourceId: 'i-00000000000000002',
      reason: { code: 'Server.InternalError' },
    });

    expect(await living()).toBe(101);
  });

  it('excludes VMs that are only being planned', async () => {
    const { living, parts } = await withVms(1, 1);
    await parts.records.begin({ dcmId: 'vm-9', region: 'us-east-1', leaseMs: 11_000 });

    expect(await living()).toBe(1);
  });
});
