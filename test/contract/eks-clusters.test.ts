import { EKSClient, UpdateNodegroupConfigCommand } from '@aws-sdk/client-eks';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { subnetsOf } from '../../local/emulators/ec2/actions/network.ts';
import { startEksEmulator } from '../../local/emulators/eks/start-eks-emulator.ts';
import { FailedPreconditionError, UnavailableError, UnprocessableError } from '../../shared/core/errors.ts';
import {
  eksClusterActions,
  eksClusterVersions,
} from '../../shared/service-types/cluster/eks/cluster-actions.ts';
import { eksClusters } from '../../shared/service-types/cluster/eks/clusters.ts';
import { eksUpdates } from '../../shared/service-types/cluster/eks/updates.ts';
import { resourceIdOf } from '../../shared/service-types/cluster/kind.ts';
import type { ClusterPlan, Workers } from '../../shared/service-types/cluster/launch.ts';

const target = { region: 'us-east-1' };
const role = (name: string) => `arn:aws:iam::123456789012:role/${name}`;
const workers: Workers = { count: 2, instanceType: 't3.large', diskGib: 20 };
const managed = { key: 'managed-by', value: 'dcm' };

const emulator = await startEksEmulator({ subnets: subnetsOf });
vi.stubEnv('AWS_ENDPOINT_URL_EKS', emulator.url);
vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
afterAll(async () => {
  vi.unstubAllEnvs();
  await emulator[Symbol.asyncDispose]();
});
afterEach(() => emulator.faults({ throttle: 0, refuse: {}, notFoundMs: 0, missingRoles: [] }));

const clusters = eksClusters();
const actions = eksClusterActions();
let count = 0;

const plan = (more: Partial<ClusterPlan> = {}): ClusterPlan => {
  count += 1;
  const name = `c-${count}`;
  return {
    ...{ region: 'us-east-1', name, version: '1.33', endpoint: 'public', extendedSupport: false },
    ...{ clusterRoleArn: role('cluster'), nodeRoleArn: role('node'), securityGroupIds: [] },
    subnetIds: subnetsOf('us-east-1')
      .slice(0, 2)
      .map(({ id }) => id),
    workers,
    adminPrincipals: [role('admin')],
    tags: { 'managed-by': 'dcm', 'dcm-instance-id': name, 'dcm-provider': 'ec2-sp' },
    chosenBy: { version: 'version', workers: 'the test' },
    ...more,
  };
};

const created = async (more?: Partial<ClusterPlan>): Promise<string> => {
  const planned = plan({ version: await newestVersion(), ...more });
  await actions.create(planned, `token-${planned.name}`);
  return planned.name;
};
const active = async (more?: Partial<ClusterPlan>): Promise<string> => {
  const name = await created(more);
  emulator.settle(name);
  return name;
};
const newestVersion = async (): Promise<string> => {
  const [newest] = (await eksClusterVersions()(target)).filter(({ support }) => support === 'standard');
  return newest?.version ?? '';
};
const see = async (name: string) => {
  const id = resourceIdOf(target, name);
  return (await clusters.describe(target, [id], 5_000)).get(id);
};
const addWorkers = (name: string) =>
  actions.createNodeGroup(target, name, {
    ...{ name: 'workers', workers, nodeRoleArn: role('node'), tags: { 'managed-by': 'dcm' } },
    ...{ subnetIds: plan().subnetIds, clientToken: `token-${name}-workers` },
  });

describe('EKS by its SDK client', () => {
  it('creates a cluster, which shows whose it is and what it is to have', async () => {
    const name = await created();

    expect(await see(name)).toMatchObject({
      ...{ name, resourceId: `eks/us-east-1/${name}`, account: '123456789012', status: 'CREATING' },
      ...{ state: 'CREATING', clientToken: `token-${name}`, workers, nodeGroups: [] },
      tags: { 'managed-by': 'dcm', 'dcm-instance-id': name },
      launchedAtMs: expect.any(Number),
      apiEndpoint: undefined,
    });
  });

  it('says that a name is taken, also where the request is repeated with another token', async () => {
    const planned = plan({ version: await newestVersion() });
    await actions.create(planned, 'one');

    expect(await actions.create(planned, 'another')).toBe('taken');
  });

  it.each([
    { missing: 'cluster', setting: 'clusters.clusterRoleArn', service: 'eks.amazonaws.com' },
    { missing: 'node', setting: 'clusters.nodeRoleArn', service: 'ec2.amazonaws.com' },
  ])('names the setting whose role EKS does not accept: $setting', async ({ missing, setting, service }) => {
    emulator.faults({ missingRoles: [missing] });

    const asked = created({ workers: undefined });

    await expect(asked).rejects.toThrow(UnprocessableError);
    await expect(asked).rejects.toThrow(
      `The role with name ${missing} cannot be found. (Service: AmazonIdentityManagement; Status Code: 404; Error Code: NoSuchEntity) (InvalidParameterException); the setting ${setting} must name a role that exists and that ${service} may assume (docs/deploy.md, Clusters)`,
    );
  });

  it('names the setting also where EKS does not accept the role of the workers', async () => {
    const name = await active();
    emulator.faults({ missingRoles: ['node'] });

    await expect(addWorkers(name)).rejects.toThrow('the setting clusters.nodeRoleArn must name a role');
  });

  it('creates a cluster in Auto Mode, whose three flags are equal (CC 31)', async () => {
    const name = await active({ workers: undefined });

    expect(await see(name)).toMatchObject({
      ...{ state: 'ACTIVE', workers: undefined, reason: undefined },
      ...{ apiEndpoint: expect.stringMatching(/^https:/), certificateAuthority: expect.any(String) },
    });
  });

  it('creates the workers of an ACTIVE cluster, which is JOINING until then', async () => {
    const name = await active();
    expect((await see(name))?.state).toBe('JOINING');

    await addWorkers(name);
    expect(await see(name)).toMatchObject({ state: 'JOINING', nodeGroups: [{ status: 'CREATING' }] });

    emulator.settle(name, 'workers');
    expect(await see(name)).toMatchObject({
      state: 'ACTIVE',
      reason: { message: 'node group workers is ACTIVE' },
    });
  });

  it('does not create workers of a cluster that is not ACTIVE', async () => {
    await expect(addWorkers(await created())).rejects.toThrow(FailedPreconditionError);
  });

  it('makes administrators once, however often it is asked (CC 29)', async () => {
    const name = await active();

    await actions.addAdministrator(target, name, role('admin'));
    await actions.addAdministrator(target, name, role('admin'));

    expect(await actions.administrators(target, name)).toEqual([role('admin')]);
  });

  it('shows CREATE_FAILED as FAILED with the issue, and the cluster can be deleted (CC 23)', async () => {
    const name = await active();
    await addWorkers(name);
    emulator.failNodeGroup(name, 'workers', {
      ...{ code: 'NodeCreationFailure', message: 'no node joined', resourceIds: ['i-1'] },
    });

    expect(await see(name)).toMatchObject({
      state: 'FAILED',
      reason: { message: expect.stringContaining('NodeCreationFailure: no node joined') },
    });
    await actions.deleteNodeGroup(target, name, 'workers');
    emulator.settle(name, 'workers');
    await actions.delete(target, name);
    expect((await see(name))?.state).toBe('DELETING');
  });

  it('shows an update by others as UPDATING, and then as ACTIVE again (CC 25)', async () => {
    const name = await active({ workers: undefined });
    emulator.updateCluster(name);
    expect((await see(name))?.state).toBe('UPDATING');

    emulator.settle(name);
    expect((await see(name))?.state).toBe('ACTIVE');
  });

  it('deletes a cluster only after its node groups (CC 21)', async () => {
    const name = await active();
    await addWorkers(name);
    emulator.settle(name, 'workers');
    await expect(actions.delete(target, name)).rejects.toThrow(FailedPreconditionError);

    await actions.deleteNodeGroup(target, name, 'workers');
    emulator.settle(name, 'workers');
    await actions.delete(target, name);
    emulator.settle(name);

    expect(await see(name)).toBeUndefined();
  });

  it('has nothing against a deletion of what is gone (CC 40)', async () => {
    await actions.delete(target, 'never-created');
    await actions.deleteNodeGroup(target, 'never-created', 'workers');
  });

  it('does not find a cluster of another region', async () => {
    const id = `eks/eu-west-1/${await created()}`;

    expect((await clusters.describe(target, [id], 5_000)).size).toBe(0);
  });

  it('says that EKS throttles it, and answers again afterwards', async () => {
    const name = await created();
    emulator.throttleNext(8);

    await expect(see(name)).rejects.toThrow(UnavailableError);
    expect((await see(name))?.state).toBe('CREATING');
  });

  it('is not kept from an answer by calls that EKS throttles, as long as one attempt at each succeeds', async () => {
    const names = await Promise.all([active(), active(), active()]);
    await Promise.all(names.map(addWorkers));
    emulator.throttleNext(7);

    const ids = names.map((name) => resourceIdOf(target, name));
    const seen = await clusters.describe(target, ids, 5_000);

    expect([...seen.values()].map(({ state }) => state)).toEqual(['JOINING', 'JOINING', 'JOINING']);
  });

  it('knows which versions EKS supports', async () => {
    const versions = await eksClusterVersions()(target);

    expect(versions.filter(({ isDefault }) => isDefault)).toHaveLength(1);
    expect(new Set(versions.map(({ support }) => support))).toContain('standard');
  });
});

describe('the newest update of a cluster', () => {
  const errors = [
    { errorCode: 'InsufficientFreeAddresses', errorMessage: 'none left', resourceIds: ['s-1'] },
  ];
  const failedWith =
    /^the update VersionUpdate [0-9a-f-]{36} has failed: InsufficientFreeAddresses: none left \(s-1\)$/;
  const failure = (name: string, sinceMs = 0) => eksUpdates()(target, resourceIdOf(target, name), sinceMs);
  const updated = (name: string, outcome: 'Failed' | 'Successful') => {
    emulator.updateCluster(name, { outcome, ...(outcome === 'Failed' && { errors }) });
    emulator.settle(name);
  };

  it('is the only thing that shows a failure, with EKS’s error, after the cluster is ACTIVE again (CC 25)', async () => {
    const name = await active({ workers: undefined });
    updated(name, 'Failed');

    expect((await see(name))?.state).toBe('ACTIVE');
    expect((await see(name))?.reason).toBeUndefined();
    expect(await failure(name)).toMatch(failedWith);
  });

  it('says nothing where it was successful, or there was none', async () => {
    const name = await active({ workers: undefined });
    expect(await failure(name)).toBeUndefined();

    updated(name, 'Failed');
    await new Promise((resolve) => setTimeout(resolve, 2)); // EKS tells the newest by the time alone
    updated(name, 'Successful');

    expect(await failure(name)).toBeUndefined();
  });

  it('says nothing of an update that was begun before', async () => {
    const name = await active({ workers: undefined });
    updated(name, 'Failed');

    expect(await failure(name, Date.now() + 1)).toBeUndefined();
  });

  it('can be one of the workers', async () => {
    const name = await active();
    await addWorkers(name);
    emulator.settle(name, 'workers');
    emulator.faults({ updateOutcome: 'Failed' });
    const eks = new EKSClient({ region: 'us-east-1' });
    const scalingConfig = { minSize: 3, maxSize: 3, desiredSize: 3 };
    await eks.send(
      new UpdateNodegroupConfigCommand({ clusterName: name, nodegroupName: 'workers', scalingConfig }),
    );
    emulator.faults({ updateOutcome: 'Successful' });
    expect((await see(name))?.state).toBe('UPDATING');
    await expect(failure(name)).rejects.toThrow(UnavailableError);

    emulator.settle(name, 'workers');

    expect((await see(name))?.state).toBe('ACTIVE');
    expect(await failure(name)).toMatch(
      /^the update ConfigUpdate \S+ has failed: Unknown: The update failed.$/,
    );
  });

  it('costs twenty calls and two listings, however many updates there were, and then the listings alone', async () => {
    const name = await active({ workers: undefined });
    for (let updates = 0; updates < 30; updates++) updated(name, 'Successful');
    const calls = () => Object.values(emulator.calls()).reduce((sum, one) => sum + one, 0);
    const before = calls();

    const newest = eksUpdates();
    await newest(target, resourceIdOf(target, name), 0);
    expect(calls() - before).toBe(22);
    await newest(target, resourceIdOf(target, name), 0);

    expect(calls() - before).toBe(24);
  });
});

describe('a listing of EKS', () => {
  const listed = async (region: string) => {
    const found: string[] = [];
    let token: string | undefined;
    do {
      const page = await clusters.list({ ...{ target: { region }, tag: managed }, token, timeoutMs: 5_000 });
      found.push(...page.resources.map(({ name }) => name));
      token = page.nextToken;
    } while (token !== undefined);
    return found;
  };

  it('has the clusters of all pages with the tag, and no others', async () => {
    const region = 'eu-west-1';
    const before = (await listed(region)).length;
    const subnetIds = subnetsOf(region)
      .slice(0, 2)
      .map(({ id }) => id);
    const version = await newestVersion();
    for (let index = 0; index < 27; index++)
      await actions.create(plan({ region, subnetIds, version }), `t-${index}`);
    await actions.create(plan({ region, subnetIds, version, tags: {} }), 'others');

    expect(await listed(region)).toHaveLength(before + 27);
  });

  it('of 20 clusters with a node group each costs 61 calls', async () => {
    const region = 'ap-south-1';
    emulator.populate({
      ...{ region, count: 20, nodeGroups: ['workers'] },
      name: (index) => `at-rest-${index}`,
      tags: () => ({ 'managed-by': 'dcm' }),
    });
    const calls = () => Object.values(emulator.calls()).reduce((sum, one) => sum + one, 0);
    const before = calls();

    expect(await listed(region)).toHaveLength(20);

    expect(calls() - before).toBe(61);
  });
});
