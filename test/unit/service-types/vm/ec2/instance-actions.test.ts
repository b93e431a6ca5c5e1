import {
  EC2Client,
  EC2ServiceException,
  RebootInstancesCommand,
  RunInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import {
  CapacityError,
  FailedPreconditionError,
  NotFoundError,
  PermissionDeniedError,
  UpstreamError,
} from '../../../../../shared/core/errors.ts';
import { ec2InstanceActions } from '../../../../../shared/service-types/vm/ec2/instance-actions.ts';
import { launchPlan } from '../../../../fixtures/launches.ts';
import { mockedClient } from '../../../../mocked-client.ts';

const ec2 = mockedClient(EC2Client);
afterAll(() => ec2.restore());
const region = 'us-east-1';
const instanceId = 'i-1234567890abcdef0';
const placement = { instanceType: 't3.small', subnetId: 'subnet-0a', zone: 'us-east-1a' };
const launchedAt = new Date('2026-08-22T10:30:00Z');

const refusal = (name: string, message = name) =>
  new EC2ServiceException({ name, message, $fault: 'client', $metadata: {} });

const launched = {
  OwnerId: '123456789012',
  Instances: [
    {
      InstanceId: instanceId,
      Placement: { AvailabilityZone: 'us-east-1a' },
      PrivateIpAddress: '10.0.0.4',
      LaunchTime: launchedAt,
    },
  ],
};

beforeEach(() => void ec2.reset());

const requestOf = async (
  ...[plan, where = placement]: [ReturnType<typeof launchPlan>, typeof placement?]
) => {
  ec2.on(RunInstancesCommand).resolves(launched);
  await ec2InstanceActions().run(plan, where, 'token-1');
  return ec2.commandCalls(RunInstancesCommand).at(-1)?.args[0].input;
};

describe('running an instance', () => {
  it('asks EC2 for exactly the plan (C 20)', async () => {
    const disks = [
      { deviceName: '/dev/xvda', gib: 10 },
      { deviceName: '/dev/sdf', gib: 50 },
    ];
    const plan = launchPlan({
      disks,
      securityGroupIds: ['sg-1'],
      kmsKeyId: 'key-1',
      tags: { Name: 'web-1' },
    });
    const ebs = { VolumeType: 'gp3', Encrypted: true, DeleteOnTermination: true, KmsKeyId: 'key-1' };

    expect(await requestOf(plan)).toEqual({
      ClientToken: 'token-1',
      MinCount: 1,
      MaxCount: 1,
      ImageId: plan.imageId,
      InstanceType: 't3.small',
      Placement: { AvailabilityZone: 'us-east-1a' },
      NetworkInterfaces: [
        {
          DeviceIndex: 0,
          AssociatePublicIpAddress: false,
          DeleteOnTermination: true,
          SubnetId: 'subnet-0a',
          Groups: ['sg-1'],
        },
      ],
      BlockDeviceMappings: [
        { DeviceName: '/dev/xvda', Ebs: { VolumeSize: 10, ...ebs } },
        { DeviceName: '/dev/sdf', Ebs: { VolumeSize: 50, ...ebs } },
      ],
      MetadataOptions: { HttpEndpoint: 'enabled', HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
      TagSpecifications: [
        { ResourceType: 'instance', Tags: [{ Key: 'Name', Value: 'web-1' }] },
        { ResourceType: 'volume', Tags: [{ Key: 'Name', Value: 'web-1' }] },
      ],
      UserData: plan.userData,
    });
  });

  it('omits the fields that are not planned', async () => {
    const plan = launchPlan({ userData: undefined, securityGroupIds: [] });
    ec2.on(RunInstancesCommand).resolves(launched);

    await ec2InstanceActions().run(plan, { instanceType: 't3.small' }, 'token-1');

    const input = ec2.commandCalls(RunInstancesCommand)[0]?.args[0].input ?? {};
    expect(Object.keys(input)).not.toEqual(expect.arrayContaining(['UserData']));
    for (const key of ['UserData', 'Placement', 'IamInstanceProfile', 'InstanceMarketOptions', 'KeyName'])
      expect(input).not.toHaveProperty(key);
    expect(input).toMatchObject({ NetworkInterfaces: [{ DeviceIndex: 0, AssociatePublicIpAddress: false }] });
  });

  it.each([
    [
      'a public address',
      { publicAddress: true },
      { NetworkInterfaces: [{ AssociatePublicIpAddress: true }] },
    ],
    [
      'a spot instance that is not asked for again',
      { spot: true },
      { InstanceMarketOptions: { MarketType: 'spot', SpotOptions: { SpotInstanceType: 'one-time' } } },
    ],
    ['an instance profile by name', { instanceProfile: 'app' }, { IamInstanceProfile: { Name: 'app' } }],
    [
      'an instance profile by ARN',
      { instanceProfile: 'arn:aws:iam::1:instance-profile/app' },
      { IamInstanceProfile: { Arn: 'arn:aws:iam::1:instance-profile/app' } },
    ],
  ])('asks for %s', async (_, more, expected) => {
    expect(await requestOf(launchPlan(more))).toMatchObject(expected);
  });

  it('answers the launched instance', async () => {
    ec2.on(RunInstancesCommand).resolves(launched);

    expect(await ec2InstanceActions().run(launchPlan(), placement, 'token-1')).toEqual({
      instanceId,
      account: '123456789012',
      zone: 'us-east-1a',
      privateAddress: '10.0.0.4',
      isWindows: false,
      launchedAtMs: launchedAt.getTime(),
    });
  });

  it.each([{}, { OwnerId: '123456789012', Instances: [] }, { Instances: launched.Instances }])(
    'fails where EC2’s answer has no instance: %j (C 21)',
    async (answer) => {
      ec2.on(RunInstancesCommand).resolves(answer);

      await expect(ec2InstanceActions().run(launchPlan(), placement, 't')).rejects.toThrow(UpstreamError);
    },
  );

  it('names the type without capacity', async () => {
    ec2.on(RunInstancesCommand).rejects(refusal('InsufficientInstanceCapacity'));

    const running = ec2InstanceActions().run(launchPlan(), placement, 'token-1');

    await expect(running).rejects.toThrow(CapacityError);
    await expect(running).rejects.toThrow('t3.small');
  });

  it('never repeats user data or client token in an error (C 2)', async () => {
    ec2.on(RunInstancesCommand).rejects(refusal('InvalidParameterValue', 'wrong'));

    const error = await ec2InstanceActions()
      .run(launchPlan(), placement, 'secret-token')
      .catch((thrown: unknown) => String(thrown));

    expect(error).not.toContain('secret-token');
    expect(error).not.toContain(launchPlan().userData);
  });
});

describe('the dry run of a launch', () => {
  it('succeeds where EC2 answers DryRunOperation', async () => {
    ec2.on(RunInstancesCommand).rejects(refusal('DryRunOperation'));

    await ec2InstanceActions().dryRun(launchPlan(), placement);

    expect(ec2.commandCalls(RunInstancesCommand)[0]?.args[0].input).toMatchObject({
      DryRun: true,
      InstanceType: 't3.small',
    });
  });

  it('fails as the launch would', async () => {
    ec2.on(RunInstancesCommand).rejects(refusal('UnauthorizedOperation'));

    await expect(ec2InstanceActions().dryRun(launchPlan(), placement)).rejects.toThrow(PermissionDeniedError);
  });
});

describe('an EC2 instance', () => {
  it.each([
    ['start', StartInstancesCommand],
    ['stop', StopInstancesCommand],
    ['reboot', RebootInstancesCommand],
    ['terminate', TerminateInstancesCommand],
  ] as const)('is changed by its id: %s', async (action, command) => {
    ec2.onAnyCommand().resolves({});

    await ec2InstanceActions()[action]({ region }, instanceId);

    expect(ec2.calls().map(({ args }) => args[0])).toEqual([expect.any(command)]);
    expect(ec2.calls()[0]?.args[0].input).toEqual({ InstanceIds: [instanceId] });
  });

  it.each([
    ['start', 'IncorrectInstanceState', FailedPreconditionError],
    ['stop', 'UnsupportedOperation', Error],
    ['reboot', 'InvalidInstanceID.NotFound', NotFoundError],
    ['terminate', 'OperationNotPermitted', FailedPreconditionError],
  ] as const)('fails to %s with EC2’s reason: %s', async (action, code, kind) => {
    ec2.onAnyCommand().rejects(refusal(code, 'because'));

    const acting = ec2InstanceActions()[action]({ region }, instanceId);

    await expect(acting).rejects.toThrow(kind);
    await expect(acting).rejects.toThrow(`${action} instance ${instanceId}: because (${code})`);
  });

  it('that EC2 does not know (yet) is a NotFoundError of terminate (C 31)', async () => {
    ec2.on(TerminateInstancesCommand).rejects(refusal('InvalidInstanceID.NotFound'));

    await expect(ec2InstanceActions().terminate({ region }, instanceId)).rejects.toThrow(NotFoundError);
  });

  it('is changed through one client for each region (C 68)', async () => {
    ec2.onAnyCommand().resolves({});
    const actions = ec2InstanceActions();

    for (const where of [region, 'eu-west-1', region]) await actions.start({ region: where }, instanceId);

    expect(new Set(ec2.calls().map(({ thisValue }) => thisValue)).size).toBe(2);
  });
});
