import {
  AllocateAddressCommand,
  CreateNetworkInterfaceCommand,
  DeleteNetworkInterfaceCommand,
  EC2Client,
  RunInstancesCommand,
  type TagSpecification,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import {
  CreateLoadBalancerCommand,
  DeleteLoadBalancerCommand,
  DescribeLoadBalancersCommand,
  DescribeTagsCommand,
  ElasticLoadBalancingV2Client,
  ElasticLoadBalancingV2ServiceException,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { listCollection } from '../../functions/poller/list-collection.ts';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { subnetsOf } from '../../local/emulators/ec2/actions/network.ts';
import { startEc2Simulator } from '../../local/emulators/ec2/start-ec2-simulator.ts';
import { startElbEmulator } from '../../local/emulators/elb/start-elb-emulator.ts';
import { loadBalancers } from '../../shared/adapters/aws/load-balancers.ts';
import { UnavailableError } from '../../shared/core/errors.ts';
import { type Collection, furtherCollections } from '../../shared/core/inventory/entry.ts';
import { leftoverOf } from '../../shared/core/inventory/relations.ts';
import { furtherListings } from '../../shared/service-types/collections.ts';
import { ec2Collections } from '../../shared/service-types/vm/ec2/collections.ts';
import { memoryInventory } from '../fakes/memory-inventory.ts';
import { memoryListings } from '../fakes/memory-listings.ts';
import { countingMeter, memoryLog } from '../fakes/silent.ts';
import { tagKeys } from '../fixtures/resource-messages.ts';

const simulator = await startEc2Simulator({
  emit: () => undefined,
  dwellMs: { pending: 1, stopping: 1, 'shutting-down': 1 },
});
const emulator = await startElbEmulator();
for (const [name, value] of Object.entries({
  AWS_ENDPOINT_URL_EC2: simulator.url,
  AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2: emulator.url,
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
}))
  vi.stubEnv(name, value);
afterAll(async () => {
  vi.unstubAllEnvs();
  await Promise.all([simulator[Symbol.asyncDispose](), emulator[Symbol.asyncDispose]()]);
});

let number = 0;
/** A region that no other test uses, with a poller and an inventory. */
const newRegion = () => {
  number += 1;
  const region = `eu-west-${number}`;
  const target = { region };
  const ec2 = new EC2Client(clientConfig(simulator.url, region));
  const elb = new ElasticLoadBalancingV2Client(clientConfig(emulator.url, region));
  const [subnet] = subnetsOf(region);
  const inventory = memoryInventory();
  const clock = { ms: Date.parse('2026-03-01T10:00:00Z') };
  const now = () => clock.ms;
  const meter = countingMeter();
  const log = memoryLog();
  const poll = listCollection({
    ...{ now, meter, log, listings: memoryListings(now), seconds: 3600 },
    inventory: {
      writer: inventory,
      collections: new Set(furtherCollections),
    },
    collections: furtherListings(),
  });
  /** The entries of a collection after a listing of it. */
  const listed = async (collection: Collection) => {
    clock.ms += 3_600_000;
    await poll({ target: { ...target, collection }, mode: 'legacy' });
    return (await inventory.snapshot({ target, collection }))?.page(0, 1000);
  };
  const create = (Name: string, tags: Readonly<Record<string, string>> = {}) =>
    elb.send(
      new CreateLoadBalancerCommand({
        ...{ Name, Subnets: [subnet?.id ?? ''] },
        Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
      }),
    );
  return { target, ec2, elb, subnet, listed, create, meter, calls: () => emulator.calls({ region }) };
};

const known = { tagKeys, provider: 'ec2-sp', clusters: new Set(['living']) };
const ours = { 'managed-by': 'dcm', 'dcm-instance-id': 'vm-1', 'dcm-provider': 'ec2-sp' };
const specified = (
  ResourceType: TagSpecification['ResourceType'],
  tags: Readonly<Record<string, string>>,
) => [{ ResourceType, Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) }];

describe('the collections that only the inventory has, from the service to the leftovers', () => {
  it('have the load balancers with their tags, and those of clusters that are gone are left over', async () => {
    const { create, listed, subnet } = newRegion();
    await create('gone', { 'elbv2.k8s.aws/cluster': 'gone', Name: 'shop' });
    await create('auto', { 'eks:eks-cluster-name': 'gone' });
    await create('old', { 'kubernetes.io/cluster/gone': 'owned' });
    await create('living', { 'elbv2.k8s.aws/cluster': 'living' });
    await create('other');

    const entries = (await listed('load-balancers')) ?? [];

    expect(entries.find(({ id }) => id === 'gone')).toMatchObject({
      ...{ name: 'shop', state: 'active', vpcId: subnet?.vpcId },
      tags: { 'elbv2.k8s.aws/cluster': 'gone' },
      object: { LoadBalancerName: 'gone', Type: 'application', Scheme: 'internet-facing' },
    });
    expect(
      entries.map((entry) => [entry.id, leftoverOf('load-balancers', entry, known) !== undefined]),
    ).toEqual([
      ['auto', true],
      ['gone', true],
      ['living', false],
      ['old', true],
      ['other', false],
    ]);
  });

  it('have no load balancer once it is deleted', async () => {
    const { create, listed, elb } = newRegion();
    const { LoadBalancers = [] } = await create('web');
    await listed('load-balancers');
    await elb.send(new DeleteLoadBalancerCommand({ LoadBalancerArn: LoadBalancers[0]?.LoadBalancerArn }));

    expect(await listed('load-balancers')).toEqual([]);
  });

  it('cost a call for each hundred load balancers and one for the tags of each twenty, all counted', async () => {
    const { create, listed, calls, meter } = newRegion();
    await listed('load-balancers');
    const empty = { ...calls() };
    for (let n = 0; n < 145; n += 1) await create(`web-${n}`, { Name: `n${n}` });
    const entries = await listed('load-balancers');

    expect(empty).toEqual({ DescribeLoadBalancers: 1 });
    expect(calls()).toMatchObject({ DescribeLoadBalancers: 1 + 2, DescribeTags: 5 + 3 });
    expect(meter.counts.inventoryCalls).toBe(1 + 2 + 8);
    expect(new Set(entries?.map(({ name }) => name)).size).toBe(145);
  });

  it('keep the load balancers that were listed before while the service refuses', async () => {
    const { create, listed, target, meter } = newRegion();
    await create('web');
    await listed('load-balancers');
    emulator.faults({ throttled: true }, target);
    await create('more').catch(() => undefined);

    expect((await listed('load-balancers'))?.map(({ id }) => id)).toEqual(['web']);
    expect(meter.counts.collectionsNotListed).toBe(1);
    await expect(
      loadBalancers().list({
        place: { target, collection: 'load-balancers' },
        token: undefined,
        timeoutMs: 3000,
      }),
    ).rejects.toBeInstanceOf(UnavailableError);
  });

  it('have the network interfaces that nothing uses, of which those of VMs and of clusters are left over', async () => {
    const { ec2, listed, subnet, target } = newRegion();
    const createFree = async (tags: Readonly<Record<string, string>>) => {
      const TagSpecifications = specified('network-interface', tags);
      const input = { SubnetId: subnet?.id, TagSpecifications };
      return (
        (await ec2.send(new CreateNetworkInterfaceCommand(input))).NetworkInterface?.NetworkInterfaceId ?? ''
      );
    };
    const [ofVm, ofCluster, other] = [
      await createFree(ours),
      await createFree({ 'eks:eks-cluster-name': 'gone' }),
      await createFree({ Name: 'spare' }),
    ];
    const used = simulator.network(target.region).createInterface({
      ...{ subnetId: subnet?.id ?? '', publicAddress: false, description: 'of a task', tags: ours },
    });
    const entries = (await listed('network-interfaces')) ?? [];
    await ec2.send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: ofVm }));
    const later = (await listed('network-interfaces')) ?? [];

    const leftovers = entries.filter((entry) => leftoverOf('network-interfaces', entry, known));
    expect(entries.map(({ id }) => id).sort()).toEqual([ofVm, ofCluster, other].sort());
    expect(entries[0]).toMatchObject({ state: 'available', unused: true, vpcId: subnet?.vpcId });
    expect(leftovers.map(({ id }) => id).sort()).toEqual([ofVm, ofCluster].sort());
    expect(later.map(({ id }) => id).sort()).toEqual([ofCluster, other].sort());
    expect(entries.map(({ id }) => id)).not.toContain(used.id);
  });

  it('have volumes, addresses, networks and images as EC2 describes them', async () => {
    const { ec2, listed, target } = newRegion();
    const { Instances = [] } = await ec2.send(
      new RunInstancesCommand({
        ...{ ImageId: 'ami-0123456789abcdef0', InstanceType: 't3.micro', MinCount: 1, MaxCount: 1 },
        BlockDeviceMappings: [{ DeviceName: '/dev/sdf', Ebs: { VolumeSize: 1, DeleteOnTermination: false } }],
        TagSpecifications: specified('volume', ours),
      }),
    );
    const used = (await listed('volumes')) ?? [];
    const id = Instances[0]?.InstanceId ?? '';
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    await expect
      .poll(() => simulator.instances().find(({ instanceId }) => instanceId === id)?.state)
      .toBe('terminated');
    const left = (await listed('volumes')) ?? [];
    await ec2.send(new AllocateAddressCommand({ TagSpecifications: specified('elastic-ip', ours) }));
    const [address] = (await listed('addresses')) ?? [];
    const described = await ec2Collections().describeInstances(target, [id], 3000);

    expect(used.map((entry) => [entry.state, leftoverOf('volumes', entry, known)])).toEqual([
      ['in-use', undefined],
      ['in-use', undefined],
    ]);
    expect(left.map((entry) => [entry.state, leftoverOf('volumes', entry, known)])).toEqual([
      ['available', 'it belongs to the VM vm-1, and nothing uses it'],
    ]);
    expect(address && leftoverOf('addresses', address, known)).toContain('vm-1');
    expect(address?.name).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect((await listed('vpcs'))?.map(({ vpcId, id: vpc }) => vpcId === vpc)).toEqual([true, true]);
    expect((await listed('subnets'))?.every(({ vpcId }) => vpcId !== undefined)).toBe(true);
    expect((await listed('security-groups'))?.map(({ name }) => name)).toContain('ssh');
    expect((await listed('images'))?.map(({ name, state }) => [name, state])).toEqual([
      ['golden-image', 'available'],
    ]);
    expect(described.size).toBe(0); // it is terminated
  });
});

describe('the emulator of Elastic Load Balancing', () => {
  const codeOf = (call: Promise<unknown>) =>
    call.then(
      () => 'accepted',
      (error: unknown) =>
        error instanceof ElasticLoadBalancingV2ServiceException ? error.name.replace('Exception', '') : error,
    );

  it('pages, and refuses what the service refuses', async () => {
    const { elb, create } = newRegion();
    for (const name of ['a', 'b', 'c']) await create(name);
    const first = await elb.send(new DescribeLoadBalancersCommand({ PageSize: 2 }));
    const next = await elb.send(new DescribeLoadBalancersCommand({ Marker: first.NextMarker }));
    const arns = Array.from({ length: 21 }, () => first.LoadBalancers?.[0]?.LoadBalancerArn ?? '');

    expect([first, next].map(({ LoadBalancers = [] }) => LoadBalancers.length)).toEqual([2, 1]);
    expect(next.NextMarker).toBeUndefined();
    expect(first.LoadBalancers?.[0]?.CreatedTime).toBeInstanceOf(Date);
    expect(await codeOf(create('a'))).toBe('DuplicateLoadBalancerName');
    expect(await codeOf(create('internal-a'))).toBe('ValidationError');
    expect(await codeOf(elb.send(new DescribeTagsCommand({ ResourceArns: arns })))).toBe('ValidationError');
    expect(await codeOf(elb.send(new DescribeTagsCommand({ ResourceArns: ['arn:none'] })))).toBe(
      'LoadBalancerNotFound',
    );
  });
});
