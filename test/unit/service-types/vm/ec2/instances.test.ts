import {
  DescribeInstanceStatusCommand,
  DescribeInstancesCommand,
  EC2Client,
  EC2ServiceException,
} from '@aws-sdk/client-ec2';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { UnavailableError, UpstreamError } from '../../../../../shared/core/errors.ts';
import { ec2Instances } from '../../../../../shared/service-types/vm/ec2/instances.ts';
import { mockedClient } from '../../../../mocked-client.ts';

const ec2 = mockedClient(EC2Client);
afterAll(() => ec2.restore());
const one = 'i-1234567890abcdef0';
const other = 'i-1a2b3c4d';
const region = 'us-east-1';

const throttled = new EC2ServiceException({
  name: 'RequestLimitExceeded',
  message: 'Request limit exceeded.',
  $fault: 'client',
  $metadata: { httpStatusCode: 503 },
});

beforeEach(() => void ec2.reset());

describe('EC2’s view of instances', () => {
  it('is asked for by a filter and a page size', async () => {
    ec2.on(DescribeInstancesCommand).resolves({});

    await ec2Instances().describe({ region }, [one, other], 500);

    expect(ec2.commandCalls(DescribeInstancesCommand).map(({ args }) => args[0].input)).toEqual([
      { Filters: [{ Name: 'instance-id', Values: [one, other] }], MaxResults: 1000 },
    ]);
  });

  it('has state, tags, reason and launch time of each instance, of any reservation', async () => {
    ec2.on(DescribeInstancesCommand).resolves({
      Reservations: [
        {
          OwnerId: '123456789012',
          Instances: [
            {
              InstanceId: one,
              State: { Name: 'terminated', Code: 48 },
              Tags: [
                { Key: 'managed-by', Value: 'dcm' },
                { Key: 'empty', Value: '' },
              ],
              StateReason: { Code: 'Server.InternalError', Message: 'Client.VolumeLimitExceeded: limit' },
              LaunchTime: new Date('2026-08-22T10:30:00Z'),
            },
          ],
        },
        {},
        { Instances: [{ InstanceId: other, State: { Name: 'running' } }] },
      ],
    });

    const found = await ec2Instances().describe({ region }, [one, other], 500);

    expect([...found.values()]).toEqual([
      {
        resourceId: one,
        account: '123456789012',
        state: 'terminated',
        tags: { 'managed-by': 'dcm', empty: '' },
        reason: { code: 'Server.InternalError', message: 'Client.VolumeLimitExceeded: limit' },
        launchedAtMs: Date.parse('2026-08-22T10:30:00Z'),
        publicAddress: '',
      },
      {
        ...{ resourceId: other, account: '', state: 'running', tags: {}, reason: undefined },
        ...{ launchedAtMs: 0, publicAddress: '' },
      },
    ]);
  });

  it.each([
    { what: 'none', StateReason: undefined, reason: undefined },
    { what: 'an empty one', StateReason: { Code: '', Message: '' }, reason: undefined },
    {
      what: 'the state again',
      StateReason: { Code: 'terminated', Message: 'terminated' },
      reason: undefined,
    },
    {
      what: 'a code only',
      StateReason: { Code: 'Client.InternalError' },
      reason: { code: 'Client.InternalError' },
    },
  ])('has as reason what EC2 gives: $what', async ({ StateReason, reason }) => {
    const instance = {
      InstanceId: one,
      State: { Name: 'terminated' },
      ...(StateReason && { StateReason }),
    } as const;
    ec2.on(DescribeInstancesCommand).resolves({ Reservations: [{ Instances: [instance] }] });

    const found = await ec2Instances().describe({ region }, [one], 500);

    expect(found.get(one)?.reason).toEqual(reason);
  });

  it('leaves out what has no id or no state', async () => {
    ec2.on(DescribeInstancesCommand).resolves({
      Reservations: [
        { Instances: [{ State: { Name: 'running' } }, { InstanceId: one }, { InstanceId: one, State: {} }] },
      ],
    });

    expect((await ec2Instances().describe({ region }, [one], 500)).size).toBe(0);
  });

  it.each([
    [[one], /did not describe 1 instance within/],
    [[one, 'i-00000000000000009'], /did not describe 2 instances within/],
  ])('says how many instances EC2 did not describe', async (ids, message) => {
    ec2.on(DescribeInstancesCommand).rejects(new Error('no answer'));

    await expect(ec2Instances().describe({ region }, ids, 500)).rejects.toThrow(message);
  });

  it('does not have what EC2 does not know', async () => {
    ec2.on(DescribeInstancesCommand).resolves({ Reservations: [] });

    expect((await ec2Instances().describe({ region }, [one], 500)).size).toBe(0);
  });

  it('is all pages of the answer: a page may be short, or empty', async () => {
    ec2
      .on(DescribeInstancesCommand)
      .resolvesOnce({ Reservations: [], NextToken: 'more' })
      .resolves({ Reservations: [{ Instances: [{ InstanceId: one, State: { Name: 'running' } }] }] });

    const found = await ec2Instances().describe({ region }, [one], 500);

    expect(found.get(one)?.state).toBe('running');
  });

  it.each([
    { what: 'throttles the call (C44)', error: throttled },
    { what: 'cannot be reached', error: new Error('getaddrinfo ENOTFOUND') },
  ])('is unavailable where EC2 $what, and names the region', async ({ error }) => {
    ec2.on(DescribeInstancesCommand).rejects(error);

    const describing = ec2Instances().describe({ region }, [one], 500);

    await expect(describing).rejects.toThrow(UnavailableError);
    await expect(describing).rejects.toThrow(region);
    await expect(describing).rejects.toMatchObject({ cause: error });
  });

  it('is asked for with one client a region', async () => {
    ec2.on(DescribeInstancesCommand).resolves({});
    const instances = ec2Instances();

    for (const where of [region, 'eu-west-1', region])
      await instances.describe({ region: where }, [one], 500);

    const clients = ec2.calls().map(({ thisValue }) => thisValue);
    expect(await Promise.all(clients.map((client) => client.config.region()))).toEqual([
      region,
      'eu-west-1',
      region,
    ]);
    expect(new Set(clients).size).toBe(2);
  });
});

describe('EC2 while a zone is down', () => {
  const failed = (name: string, message = name, httpStatusCode = 500) =>
    new EC2ServiceException({ name, message, $fault: 'client', $metadata: { httpStatusCode } });
  const withoutIds = { Filters: [{ Name: 'instance-id', Values: [one, other] }], MaxResults: 1000 };
  const running = (InstanceId: string) => ({
    Reservations: [{ Instances: [{ InstanceId, State: { Name: 'running' } } as const] }],
  });

  it('is asked by ids where the question without ids fails', async () => {
    ec2.on(DescribeInstancesCommand, withoutIds).rejects(failed('Unavailable'));
    ec2.on(DescribeInstancesCommand, { InstanceIds: [one, other] }).resolves(running(one));

    const found = await ec2Instances().describe({ region }, [one, other], 2_000);

    expect([...found.keys()]).toEqual([one]);
  });

  it('is asked once more without the ids that it does not know', async () => {
    const unknown = failed('InvalidInstanceID.NotFound', `The instance ID '${other}' does not exist`, 400);
    ec2.on(DescribeInstancesCommand, withoutIds).rejects(failed('InternalError'));
    ec2.on(DescribeInstancesCommand, { InstanceIds: [one, other] }).rejects(unknown);
    ec2.on(DescribeInstancesCommand, { InstanceIds: [one] }).resolves(running(one));

    const found = await ec2Instances().describe({ region }, [one, other], 2_000);

    expect([...found.keys()]).toEqual([one]);
  });

  it('has answered nothing where it fails by ids too', async () => {
    ec2.on(DescribeInstancesCommand).rejects(failed('InternalError'));

    const describing = ec2Instances().describe({ region }, [one, other], 2_000);

    await expect(describing).rejects.toThrow(UpstreamError);
    await expect(describing).rejects.toThrow('InternalError');
  });

  it('is not asked by ids where it throttles', async () => {
    ec2.on(DescribeInstancesCommand).rejects(throttled);

    await expect(ec2Instances().describe({ region }, [one, other], 2_000)).rejects.toThrow(UnavailableError);
    const asked = ec2.commandCalls(DescribeInstancesCommand).map(({ args }) => args[0].input);
    expect(asked.filter(({ InstanceIds }) => InstanceIds !== undefined)).toEqual([]);
  });
});

describe('which instances fail a status check', () => {
  const since = new Date('2026-08-22T10:30:00Z');
  const details = [{ ImpairedSince: since }];
  const of = (InstanceId: string, Status: 'impaired' | 'ok') => ({
    InstanceId,
    InstanceStatus: { Status, Details: details },
    SystemStatus: { Status, Details: details },
    AttachedEbsStatus: { Status, Details: details },
  });

  it.each(['instance', 'system', 'attached-ebs'] as const)(
    'is read from the answer, not from the filter alone: %s',
    async (check) => {
      ec2
        .on(DescribeInstanceStatusCommand)
        .resolves({ InstanceStatuses: [of(one, 'impaired'), of(other, 'ok'), { InstanceId: 'i-0000000a' }] });

      const found = await ec2Instances().impaired({ region }, check, 2_000);

      expect(found).toEqual(new Map([[one, since.getTime()]]));
      expect(ec2.commandCalls(DescribeInstanceStatusCommand)[0]?.args[0].input).toMatchObject({
        Filters: [{ Name: `${check}-status.status`, Values: ['impaired'] }],
      });
    },
  );
});
