import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeInstancesCommand, EC2Client, RunInstancesCommand } from '@aws-sdk/client-ec2';
import { DescribeClustersCommand, ECSClient, StopTaskCommand } from '@aws-sdk/client-ecs';
import { CreateClusterCommand, EKSClient, ListClustersCommand } from '@aws-sdk/client-eks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defaultAccount as home } from '../../../local/emulators/callers.ts';
import { clientConfig } from '../../../local/emulators/client-config.ts';
import { subnetsOf } from '../../../local/emulators/ec2/actions/network.ts';
import { startEc2Simulator } from '../../../local/emulators/ec2/start-ec2-simulator.ts';
import { startEcsEmulator } from '../../../local/emulators/ecs/start-ecs-emulator.ts';
import { startEksEmulator } from '../../../local/emulators/eks/start-eks-emulator.ts';
import { type Role, roleArn, startSts } from '../../../local/emulators/sts.ts';
import { disposables } from '../../../local/processes/disposables.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';

const member = '222222222222';
const path = '/dcm-ec2-sp/';
const externalId = 'a-secret-of-this-deployment';
const trust = { principals: `arn:aws:iam::${home}:role${path}`, externalId };
const reader = {
  ...{ account: member, path, name: 'dcm-ec2-sp-reader', trust },
  actions: ['ec2:Describe*', 'ecs:Describe*', 'eks:List*'],
};
const launcher = { ...reader, name: 'dcm-ec2-sp-launcher', actions: [...reader.actions, 'ec2:RunInstances'] };
/** A function of the hub, and one of somebody else there. */
const poller = { account: home, path, name: 'ec2-sp-poller', actions: ['*'] };
const stranger = { account: home, path: '/', name: 'somebody', actions: ['*'] };

const { use, stop } = disposables();
const start = async () => {
  let passedMs = 0;
  const clock = () => Date.now() + passedMs;
  const sts = await use(startSts({ clock, roles: [reader, launcher, poller, stranger] }));
  const pass = (seconds: number) => {
    passedMs += seconds * 1_000;
  };
  const events: EventBridgeEvent[] = [];
  const { callers } = sts;
  const ec2 = await use(
    startEc2Simulator({ callers, emit: (event) => void events.push(event), dwellMs: { pending: 5 } }),
  );
  const ecs = await use(startEcsEmulator({ callers, network: ec2.network, emit: () => undefined }));
  const eks = await use(startEksEmulator({ callers, subnets: subnetsOf }));
  return { sts, ec2, ecs, eks, events, pass };
};
let parts: Awaited<ReturnType<typeof start>>;
let folder: string;
beforeEach(async () => {
  parts = await start();
  folder = mkdtempSync(join(tmpdir(), 'aws-'));
  vi.stubEnv('AWS_ENDPOINT_URL_STS', parts.sts.url);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
  await stop();
});

type Session = {
  readonly role: Omit<Role, 'trust'>;
  readonly as?: typeof poller;
  readonly externalId?: string;
  readonly seconds?: number;
};

/** Configuration of the SDK's clients that has them assume a role by the SDK's own client of STS, at the first call: one at a time. */
const sessionOf = ({ role, as = poller, externalId: given = externalId, seconds = 3_600 }: Session) => {
  const { accessKeyId, secretAccessKey, sessionToken } = parts.sts.credentialsOf(as, as.name);
  const name = randomUUID();
  const lines = [
    '[profile hub]',
    `aws_access_key_id = ${accessKeyId}`,
    `aws_secret_access_key = ${secretAccessKey}`,
    `aws_session_token = ${sessionToken}`,
    '[profile member]',
    ...['source_profile = hub', `role_arn = ${roleArn(role)}`, `external_id = ${given}`],
    ...[`role_session_name = ${as.name}`, `duration_seconds = ${seconds}`, 'region = eu-west-1'],
  ];
  const configFilepath = join(folder, name);
  writeFileSync(configFilepath, lines.join('\n'));
  vi.stubEnv('AWS_CONFIG_FILE', configFilepath);
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'none'));
  return { region: 'eu-west-1', profile: 'member', maxAttempts: 1 };
};
const ec2In = (session: Session) => new EC2Client({ endpoint: parts.ec2.url, ...sessionOf(session) });
const ecsIn = (session: Session) => new ECSClient({ endpoint: parts.ecs.url, ...sessionOf(session) });
const eksIn = (session: Session) => new EKSClient({ endpoint: parts.eks.url, ...sessionOf(session) });

const launch = new RunInstancesCommand({ ImageId: 'ami-0123456789abcdef0', MinCount: 1, MaxCount: 1 });
const list = new DescribeInstancesCommand({});
const idsIn = async (client: EC2Client): Promise<string[]> => {
  const { Reservations = [] } = await client.send(list);
  return Reservations.flatMap(({ Instances = [] }) => Instances.map(({ InstanceId = '' }) => InstanceId));
};
/** The error that a call ends in. */
const nameOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'no error',
    (error: Error) => error.name,
  );

describe('EC2, ECS and EKS of several accounts', () => {
  it('keep the state of each account apart, and name it in their answers and events', async () => {
    const at = (account: string) => new EC2Client(clientConfig(parts.ec2.url, 'eu-west-1', account));
    const { Instances: [ours] = [], OwnerId } = await at(member).send(launch);

    expect(OwnerId).toBe(member);
    expect(await idsIn(at(member))).toEqual([ours?.InstanceId]);
    expect(await idsIn(at(home))).toEqual([]);
    expect(parts.ec2.instances()).toMatchObject([{ account: member, region: 'eu-west-1' }]);
    expect(new Set(parts.events.map(({ account }) => account))).toEqual(new Set([member]));
    expect(parts.ec2.calls({ account: home })).toEqual({ DescribeInstances: 1 });
  });

  it('have clusters of the same name in two accounts', async () => {
    const at = (account: string) => new EKSClient(clientConfig(parts.eks.url, 'eu-west-1', account));
    const arns = await Promise.all(
      [home, member].map(async (account) => {
        const { cluster } = await at(account).send(
          new CreateClusterCommand({
            ...{ name: 'shop', roleArn: `arn:aws:iam::${account}:role/clusters` },
            resourcesVpcConfig: {
              subnetIds: subnetsOf('eu-west-1')
                .slice(0, 2)
                .map(({ id }) => id),
            },
          }),
        );
        return cluster?.arn;
      }),
    );

    expect(arns).toEqual([home, member].map((account) => `arn:aws:eks:eu-west-1:${account}:cluster/shop`));
    parts.eks.removeCluster('shop');
    expect(parts.eks.clusters()).toHaveLength(1);
  });

  it('know the account by the session of a role there', async () => {
    const session = { role: launcher };

    const { OwnerId } = await ec2In(session).send(launch);
    const { clusters } = await ecsIn(session).send(new DescribeClustersCommand({ clusters: ['default'] }));

    expect(OwnerId).toBe(member);
    expect(clusters?.[0]?.clusterArn).toBe(`arn:aws:ecs:eu-west-1:${member}:cluster/default`);
    expect(parts.sts.assumed()).toMatchObject([
      { role: { account: member, name: launcher.name }, name: poller.name },
      { role: { account: member, name: launcher.name }, name: poller.name },
    ]);
  });

  it('refuse what a role may not do, in a dry run too', async () => {
    const session = { role: reader };
    const dryRun = new RunInstancesCommand({ ...launch.input, DryRun: true });

    const errors = [
      await nameOf(ec2In(session).send(launch)),
      await nameOf(ec2In(session).send(dryRun)),
      await nameOf(ec2In({ role: launcher }).send(dryRun)),
      await nameOf(ecsIn(session).send(new StopTaskCommand({ task: 'any' }))),
      await nameOf(
        eksIn(session).send(new CreateClusterCommand({ name: 'x', roleArn: 'y', resourcesVpcConfig: {} })),
      ),
      await nameOf(eksIn(session).send(new ListClustersCommand({}))),
    ];

    expect(errors).toEqual([
      'UnauthorizedOperation',
      'UnauthorizedOperation',
      'DryRunOperation',
      'AccessDeniedException',
      'AccessDeniedException',
      'no error',
    ]);
  });

  it('can be throttled or out of order in one account and region alone', async () => {
    const at = (account: string, region: string) =>
      new EC2Client({ ...clientConfig(parts.ec2.url, region, account), maxAttempts: 1 });
    const lists = (account: string, region = 'eu-west-1') =>
      nameOf(at(account, region).send(list, { abortSignal: AbortSignal.timeout(300) }));
    const places = { account: member, region: 'eu-west-1' };

    parts.ec2.faults({ throttle: 1 }, places);
    expect([await lists(member), await lists(member, 'us-east-1'), await lists(home)]).toEqual([
      'RequestLimitExceeded',
      'no error',
      'no error',
    ]);
    parts.ec2.faults({ throttle: 0, outage: 'refuses' }, places);
    expect([await lists(member), await lists(home)]).toEqual(['Unavailable', 'no error']);
    parts.ec2.faults({ outage: 'hangs' }, places);
    expect([await lists(member), await lists(home)]).toEqual(['AbortError', 'no error']);
    parts.ec2.faults({ outage: undefined });
    expect(await lists(member)).toBe('no error');
  });
});

describe('STS', () => {
  it('gives a session to functions of the hub with the external id, and to nobody else', async () => {
    const errors = [
      await nameOf(ec2In({ role: reader }).send(list)),
      await nameOf(ec2In({ role: reader, externalId: 'another-deployment' }).send(list)),
      await nameOf(ec2In({ role: reader, as: stranger }).send(list)),
      await nameOf(ec2In({ role: { ...reader, name: 'unknown' } }).send(list)),
      await nameOf(ec2In({ role: poller }).send(list)),
      await nameOf(ec2In({ role: reader, seconds: 7_200 }).send(list)),
    ];

    expect(errors).toEqual([
      'no error',
      'AccessDenied',
      'AccessDenied',
      'AccessDenied',
      'AccessDenied',
      'ValidationError',
    ]);
  });

  it('gives none for a role that is revoked, whose sessions are refused, until it is granted again', async () => {
    const [ec2, ecs] = [ec2In({ role: reader }), ecsIn({ role: reader })];
    const describeClusters = new DescribeClustersCommand({});
    await ec2.send(list);
    await ecs.send(describeClusters);

    parts.sts.revoke(reader);
    expect(await nameOf(ec2.send(list))).toBe('UnauthorizedOperation');
    expect(await nameOf(ecs.send(describeClusters))).toBe('AccessDeniedException');
    expect(await nameOf(ec2In({ role: reader }).send(list))).toBe('AccessDenied');
    expect(await nameOf(ec2In({ role: launcher }).send(list))).toBe('no error');

    parts.sts.grant(reader);
    expect(await nameOf(ec2.send(list))).toBe('no error');
  });

  it('makes sessions that end', async () => {
    const [ec2, eks] = [ec2In({ role: reader }), eksIn({ role: reader })];
    await ec2.send(list);
    await eks.send(new ListClustersCommand({}));
    parts.pass(3_601);

    expect(await nameOf(ec2.send(list))).toBe('RequestExpired');
    expect(await nameOf(eks.send(new ListClustersCommand({})))).toBe('ExpiredTokenException');

    parts.sts.limitSessions(60);
    const short = ec2In({ role: reader });
    expect(await nameOf(short.send(list))).toBe('no error');
    parts.pass(61);
    expect(await nameOf(short.send(list))).toBe('RequestExpired');
  });

  it("refuses a session's key without its token, and a key that it never gave", async () => {
    const { accessKeyId } = parts.sts.credentialsOf(poller, 'poller');
    const withKey = (key: string) => new EC2Client(clientConfig(parts.ec2.url, 'eu-west-1', key));

    expect(await nameOf(withKey(accessKeyId).send(list))).toBe('AuthFailure');
    expect(await nameOf(withKey('ASIA-unknown').send(list))).toBe('AuthFailure');
  });
});
