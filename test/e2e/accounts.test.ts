import {
  DescribeInstancesCommand,
  EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { isHTTPError } from 'ky';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { vmSpec } from '../../local/demo/catalog-item.ts';
import { controlPlaneClient } from '../../local/demo/dcm-user.ts';
import { providerApiClient } from '../../local/demo/provider-api-client.ts';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { memberRole } from '../../local/stack/accounts.ts';
import { hubBus } from '../../local/stack/aws.ts';
import { account as home, homeRegion, prod, provider, silentRegion } from '../../local/stack/options.ts';
import type { EventBridgeEvent } from '../../shared/wire/eventbridge.ts';
import { untilNextSecond } from './next-second.ts';
import { type TestStack, testStack } from './stack.ts';
import { instancesOf, newVmId } from './vm-instances.ts';

const soon = 60_000;
const region = homeRegion({});
const unlisted = '333333333333';
const noTrouble = { throttle: 0, outage: undefined, shortPages: false };
const passing = ['provisioning', 'deleting'];

/** Clients of one account: of the provider's API in a region, and of EC2. */
const usersOf = ({ endpoints }: TestStack, alias: string | undefined, at = region) => {
  const { providerApiUrl, providerApiToken, prodProviderApiToken = '', prodAccessKeyId, ec2Url } = endpoints;
  const isHome = alias === undefined;
  return {
    api: providerApiClient({
      providerApiUrl: isHome ? providerApiUrl : `${providerApiUrl}/${alias}/${at}`,
      providerApiToken: isHome ? providerApiToken : prodProviderApiToken,
    }),
    ec2: new EC2Client(clientConfig(ec2Url, at, isHome ? 'local' : prodAccessKeyId)),
  };
};

describe('two accounts', () => {
  let stack: TestStack;
  let ours: ReturnType<typeof usersOf>;
  let theirs: ReturnType<typeof usersOf>;
  beforeAll(async () => {
    stack = await testStack({
      accounts: true,
      generation: 'old',
      healthIntervalMs: 500,
      pollFloorSeconds: 1,
    });
    stack.sts?.limitSessions(4);
    [ours, theirs] = [usersOf(stack, undefined), usersOf(stack, prod.alias)];
  });
  afterAll(() => stack?.[Symbol.asyncDispose]());

  afterEach(() => {
    stack.ec2?.faults(noTrouble);
    for (const one of [stack.ecs, stack.eks]) one?.faults({ outage: undefined });
  });

  /** The statuses that DCM got, each once, without those of states that can end before they are seen. */
  const statuses = (dcmId: string) => {
    const own = stack.controlPlane.history().filter(({ id }) => id === dcmId);
    const lasting = own.map(({ status = '' }) => status).filter((status) => !passing.includes(status));
    return lasting.filter((status, index) => status !== lasting[index - 1]);
  };
  const lastStatus = (dcmId: string) => expect.poll(() => statuses(dcmId).at(-1), { timeout: soon });
  /** A VM that runs, and its instance. */
  const launched = async ({ api }: typeof ours, name: string) => {
    const dcmId = newVmId();
    await api.create(dcmId, vmSpec(name));
    await lastStatus(dcmId).toBe('running');
    const [instance] = instancesOf(stack, dcmId);
    return { dcmId, instanceId: instance?.instanceId ?? '', account: instance?.account };
  };
  const rowsOf = async () => {
    const rows = await controlPlaneClient(stack.endpoints.controlPlaneUrl).providers();
    const isProd = ({ name }: (typeof rows)[number]) => name.includes(`-${prod.alias}-`);
    return { prod: rows.filter(isProd), home: rows.filter((row) => !isProd(row)) };
  };
  const healthOf = async () => {
    const { prod: theirRows, home: ourRows } = await rowsOf();
    const healths = (rows: typeof ourRows) => [...new Set(rows.map((row) => row.health_status))].toSorted();
    return { home: healths(ourRows), prod: healths(theirRows) };
  };
  /** The sum of a metric, whose values of one invocation are a number or a list. */
  const counted = (metric: string) =>
    stack.said
      .flatMap((line) => new RegExp(`"${metric}":(\\[[\\d,]+\\]|\\d+)`).exec(line)?.[1] ?? [])
      .flatMap((values) => [JSON.parse(values)].flat())
      .reduce((sum, value) => sum + Number(value), 0);
  const listings = (account: string) => stack.ec2?.calls({ account }).DescribeInstances ?? 0;
  const nextListings = async (account: string, more: number) => {
    const before = listings(account);
    await expect.poll(() => listings(account), { timeout: soon }).toBeGreaterThanOrEqual(before + more);
  };

  it('have a provider for each region and service type, which is healthy', async () => {
    const { prod: rows } = await rowsOf();

    expect(rows.map(({ name }) => name).toSorted()).toEqual(
      ['-cluster', '-container', ''].flatMap((type) =>
        [region, silentRegion].map((at) => `${provider}${type}-${prod.alias}-${at}`),
      ),
    );
    expect(rows.map(({ endpoint }) => new URL(endpoint).pathname)).toContain(
      `/${prod.alias}/${silentRegion}/api/v1alpha1/containers`,
    );
    expect(JSON.stringify(rows)).not.toContain(prod.id);
    await expect.poll(healthOf, { timeout: soon }).toEqual({ home: ['ready'], prod: ['ready'] });
  });

  it('run VMs of the same name in the same VPC side by side, from creation to deletion', async () => {
    const [our, their] = await Promise.all([launched(ours, 'twin'), launched(theirs, 'twin')]);

    expect([our.account, their.account]).toEqual([home, prod.id]);
    expect(instancesOf(stack, our.dcmId)[0]?.tags.Name).toBe('twin');
    expect(instancesOf(stack, their.dcmId)[0]?.tags.Name).toBe('twin');
    const vpcOf = async ({ ec2 }: typeof ours, instanceId: string) => {
      const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
      return Reservations?.[0]?.Instances?.[0]?.VpcId;
    };
    expect(await vpcOf(ours, our.instanceId)).toBe(await vpcOf(theirs, their.instanceId));
    expect((await ours.api.list()).results.map(({ id }) => id)).not.toContain(their.dcmId);
    expect((await theirs.api.list()).results.map(({ id }) => id)).toEqual([their.dcmId]);

    await untilNextSecond();
    await theirs.api.delete(their.dcmId);
    await lastStatus(their.dcmId).toBe('deleted');

    expect(statuses(their.dcmId)).toEqual(['running', 'deleted']);
    expect(statuses(our.dcmId)).toEqual(['running']);
  });

  it('report VMs of a region of the other account that sends no events', async () => {
    const vm = await launched(usersOf(stack, prod.alias, silentRegion), 'legacy');

    expect(instancesOf(stack, vm.dcmId)).toMatchObject([{ account: prod.id, region: silentRegion }]);
  });

  it('do not take each other’s ids, paths and tokens', async () => {
    const [our, their] = await Promise.all([launched(ours, 'kept'), launched(theirs, 'kept')]);
    const { providerApiUrl, providerApiToken, prodProviderApiToken = '' } = stack.endpoints;
    const withOtherToken = [
      providerApiClient({ providerApiUrl, providerApiToken: prodProviderApiToken }),
      providerApiClient({ providerApiUrl: `${providerApiUrl}/${prod.alias}/${region}`, providerApiToken }),
    ];

    const answers = await Promise.all(
      [
        ...[theirs.api.create(our.dcmId, vmSpec('kept')), ours.api.create(their.dcmId, vmSpec('kept'))],
        ...[theirs.api.get(our.dcmId), theirs.api.delete(our.dcmId), theirs.api.change(our.dcmId, 'stop')],
        ...[ours.api.get(their.dcmId), ours.api.delete(their.dcmId)],
        usersOf(stack, prod.alias, silentRegion).api.get(their.dcmId),
        usersOf(stack, 'unknown').api.list(),
        ...withOtherToken.map((api) => api.list()),
        ...withOtherToken.map((api) => api.create(newVmId(), vmSpec('stolen'))),
      ].map(statusCode),
    );

    expect(answers).toEqual([409, 409, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403]);
    expect([...instancesOf(stack, our.dcmId), ...instancesOf(stack, their.dcmId)]).toMatchObject([
      { account: home, state: 'running' },
      { account: prod.id, state: 'running' },
    ]);
  });

  it('change nothing in DCM by an instance that carries the id of a VM in the other account', async () => {
    const { dcmId, instanceId } = await launched(ours, 'original');
    const tags = instancesOf(stack, dcmId)[0]?.tags ?? {};

    const { Instances } = await theirs.ec2.send(
      new RunInstancesCommand({
        ...{ ImageId: 'ami-0123456789abcdef0', MinCount: 1, MaxCount: 1 },
        TagSpecifications: [
          { ResourceType: 'instance', Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) },
        ],
      }),
    );
    await expect.poll(() => counted('duplicateOwner'), { timeout: soon }).toBeGreaterThanOrEqual(1);
    await nextListings(prod.id, 2);
    await untilNextSecond();
    await theirs.ec2.send(new TerminateInstancesCommand({ InstanceIds: [Instances?.[0]?.InstanceId ?? ''] }));
    await nextListings(prod.id, 2);

    expect(statuses(dcmId)).toEqual(['running']);
    expect(await ours.api.get(dcmId)).toMatchObject({ status: 'RUNNING', instance_id: instanceId });
    await untilNextSecond();
    await ours.api.delete(dcmId);
    await lastStatus(dcmId).toBe('deleted');
  });

  it('take no event of an account that is not listed, nor one that names an account where the instance is not', async () => {
    const { dcmId, instanceId } = await launched(ours, 'steady');
    const event = (account: string): EventBridgeEvent => ({
      ...{ version: '0', id: crypto.randomUUID(), account, region, source: 'aws.ec2' },
      ...{
        'detail-type': 'EC2 Instance State-change Notification',
        time: new Date(Date.now() + 5_000).toISOString(),
      },
      resources: [`arn:aws:ec2:${region}:${account}:instance/${instanceId}`],
      detail: { 'instance-id': instanceId, state: 'terminated' },
    });
    const sqs = new SQSClient(clientConfig(stack.endpoints.sqsUrl));
    const dropped = counted('foreignAccount');

    stack.events.receive(event(unlisted), hubBus); // no rule of the hub's bus has this account
    stack.events.receive(event(prod.id), hubBus);
    await sqs.send(
      new SendMessageCommand({
        QueueUrl: stack.endpoints.observationsQueueUrl,
        MessageBody: JSON.stringify(event(unlisted)),
      }),
    );

    await expect.poll(() => counted('foreignAccount'), { timeout: soon }).toBe(dropped + 2);
    await nextListings(home, 4);
    expect(statuses(dcmId)).toEqual(['running']);
    expect((await ours.api.get(dcmId)).status).toBe('RUNNING');
    sqs.destroy();
  });

  // test/contract/isolation-of-targets.test.ts has the other faults
  it('do not slow each other: what one does is reported while the other does not answer', async () => {
    const dcmId = newVmId();
    const tags = { 'managed-by': 'dcm', 'dcm-instance-id': dcmId, 'dcm-provider': provider };
    stack.ec2?.faults({ outage: 'hangs' }, { account: prod.id });
    const [found = ''] = stack.ec2?.populate({ account: prod.id, region, count: 1, tags: () => tags }) ?? [];
    await stack.ec2?.recommendRebalance(found); // an event for which the instance's account must be asked

    const our = await launched(ours, 'unhindered');
    await nextListings(home, 4);
    await untilNextSecond();
    await ours.api.delete(our.dcmId);
    await lastStatus(our.dcmId).toBe('deleted');
    expect(statuses(our.dcmId)).toEqual(['running', 'deleted']);
    expect(statuses(dcmId)).toEqual([]);

    stack.ec2?.faults(noTrouble);
    await lastStatus(dcmId).toBe('running');
  });

  it('survive that the roles in one are revoked in the middle of a listing', async () => {
    const [our, their] = await Promise.all([launched(ours, 'ours'), launched(theirs, 'theirs')]);
    const roles = (['reader', 'launcher'] as const).map(memberRole);
    stack.ec2?.faults({ shortPages: true }, { account: prod.id });
    await expect.poll(healthOf, { timeout: soon }).toEqual({ home: ['ready'], prod: ['ready'] });

    await nextListings(prod.id, 1);
    for (const role of roles) stack.sts?.revoke(role);

    await expect.poll(healthOf, { timeout: soon }).toEqual({ home: ['ready'], prod: ['unhealthy'] });
    await nextListings(home, 4);
    const during = await launched(ours, 'during');
    expect(await healthOf()).toEqual({ home: ['ready'], prod: ['unhealthy'] });
    expect(await statusCode(theirs.api.create(newVmId(), vmSpec('refused')))).toBeGreaterThanOrEqual(400);
    await untilNextSecond();
    await ours.api.delete(during.dcmId);
    await lastStatus(during.dcmId).toBe('deleted');
    expect([statuses(our.dcmId), statuses(their.dcmId)]).toEqual([['running'], ['running']]);

    for (const role of roles) stack.sts?.grant(role);
    stack.ec2?.faults(noTrouble);

    await expect.poll(healthOf, { timeout: soon }).toEqual({ home: ['ready'], prod: ['ready'] });
    await launched(theirs, 'afterwards');
    await theirs.api.delete(their.dcmId);
    await lastStatus(their.dcmId).toBe('deleted');
  });

  it('make only the rows of a region unhealthy that is out of order, and no row of the other account', async () => {
    const emulators = [stack.ec2, stack.ecs, stack.eks];
    const outage = (kind: 'refuses' | undefined) => {
      for (const one of emulators) one?.faults({ outage: kind }, { account: prod.id, region: silentRegion });
    };
    const unhealthy = async () => {
      const { prod: theirRows, home: ourRows } = await rowsOf();
      const rows = [...theirRows, ...ourRows].filter((row) => row.health_status !== 'ready');
      return rows.map(({ name }) => name).toSorted();
    };
    await expect.poll(unhealthy, { timeout: soon }).toEqual([]);

    outage('refuses');

    const rowsOfRegion = ['-cluster', '-container', ''].map(
      (type) => `${provider}${type}-${prod.alias}-${silentRegion}`,
    );
    await expect.poll(unhealthy, { timeout: soon }).toEqual(rowsOfRegion);
    await launched(ours, 'elsewhere');
    await launched(theirs, 'other-region');
    expect(await unhealthy()).toEqual(rowsOfRegion);
    outage(undefined);
    await expect.poll(unhealthy, { timeout: soon }).toEqual([]);
  });

  it('goes on when the sessions of the roles end', async () => {
    const begun = () => stack.sts?.assumed().length ?? 0;
    const before = begun();
    const one = await launched(theirs, 'one');
    await expect.poll(begun, { timeout: soon }).toBeGreaterThan(before + 2); // the poller's alone end so often
    const other = await launched(theirs, 'other');

    expect([statuses(one.dcmId), statuses(other.dcmId)]).toEqual([['running'], ['running']]);
  });
});

const statusCode = (call: Promise<unknown>): Promise<number> =>
  call.then(
    () => 200,
    (error: unknown) => (isHTTPError(error) ? error.response.status : 0),
  );
