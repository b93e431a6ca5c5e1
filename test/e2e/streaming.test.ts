import { setTimeout as sleep } from 'node:timers/promises';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DemoInstance } from '../../local/demo/ec2-actions.ts';
import { defaultAccount, serviceKey } from '../../local/emulators/callers.ts';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { provider } from '../../local/stack/options.ts';
import { untilNextSecond } from './next-second.ts';
import { type TestStack, testStack } from './stack.ts';

const soon = 60_000;
/** Longer than the provider takes to record a state, so that none is over before. */
const dwellMs = { pending: 2_500, stopping: 2_500, 'shutting-down': 2_500 };
const startedAgain = ['provisioning', 'running', 'stopping', 'stopped', 'provisioning', 'running'];
const bridge = `${provider}-nats-bridge`;
const normaliser = `${provider}-normaliser`;

describe('an EC2 state change', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await testStack({ dwellMs, canarySeconds: 2 });
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  const launch = async (name: string): Promise<DemoInstance & { dcmId: string }> => {
    const instance = await stack.actions.launch({ name, owner: 'ours', provider });
    return { ...instance, dcmId: instance.dcmId ?? '' };
  };
  const reaches = (instance: { dcmId: string }, status: string) =>
    stack.controlPlane.waitFor(instance.dcmId, status, soon);
  const told = ({ dcmId }: { dcmId: string }) =>
    stack.controlPlane.history().filter(({ id }) => id === dcmId);
  /** A status that is published once more, after a registration or an outage, says nothing new. */
  const statuses = (instance: { dcmId: string }) =>
    told(instance).flatMap(({ status = '', eventId = '' }) => (eventId.endsWith(':again') ? [] : [status]));

  it("reaches DCM, each status of a VM's life once and in order", async () => {
    const vm = await launch('whole-life');
    await reaches(vm, 'running');
    await stack.actions.stop(vm);
    await reaches(vm, 'stopped');
    await untilNextSecond();
    await stack.actions.start(vm);
    await expect.poll(() => statuses(vm), { timeout: soon }).toEqual(startedAgain);
    await stack.actions.terminate(vm);
    await reaches(vm, 'deleted');

    expect(statuses(vm)).toEqual([...startedAgain, 'deleting', 'deleted']);
    expect(new Set(told(vm).map(({ eventId }) => eventId)).size).toBe(told(vm).length);
    expect(await stack.controlPlane.row(vm.dcmId)).toMatchObject({ status: 'deleted' });
  });

  it('of an instance that is not ours is not published', async () => {
    const stranger = await stack.actions.launch({ name: 'stranger', owner: 'untagged' });
    const neighbour = await stack.actions.launch({ name: 'neighbour', owner: 'another provider' });
    const witness = await launch('witness');
    await stack.actions.terminate(stranger, neighbour, witness);
    await reaches(witness, 'deleted');

    const mentioned = stack.controlPlane.history().map(({ eventId = '' }) => eventId.split(':', 1)[0]);
    expect(mentioned).not.toContain(stranger.instanceId);
    expect(mentioned).not.toContain(neighbour.instanceId);
  });

  it('is not lost while NATS is down, and arrives in order when it is back', async () => {
    const vm = await launch('outage');
    await reaches(vm, 'running');
    await stack.nats?.stop();
    await stack.actions.stop(vm);
    await expect.poll(() => stateOf(vm), { timeout: soon }).toBe('stopped');
    await untilNextSecond();
    await stack.actions.start(vm);
    await expect.poll(() => stateOf(vm), { timeout: soon }).toBe('running');

    await stack.nats?.start();

    await expect.poll(() => statuses(vm), { timeout: soon }).toEqual(startedAgain);
  });

  it('survives a normaliser that is killed between the record and the publication', async () => {
    const vm = await launch('crash');
    await reaches(vm, 'running');
    stack.nats?.freeze(); // so that the normaliser waits where it is to be killed
    await stack.actions.terminate(vm);
    await expect.poll(() => stateOf(vm), { timeout: soon }).toBe('terminated');
    await sleep(500);

    stack.lambda.kill(normaliser);
    stack.lambda.kill(bridge);
    stack.nats?.thaw();

    await reaches(vm, 'deleted');
    expect(statuses(vm)).toEqual(['provisioning', 'running', 'deleting', 'deleted']);
  });

  it('is published after the bridge was suspended until its connection was lost', async () => {
    const vm = await launch('frozen');
    await reaches(vm, 'running');
    stack.lambda.freeze(bridge);
    await stack.nats?.stop();
    await stack.nats?.start();
    await sleep(1_100);
    stack.lambda.thaw(bridge);

    await stack.actions.terminate(vm);

    await reaches(vm, 'deleted');
    expect(statuses(vm)).toEqual(['provisioning', 'running', 'deleting', 'deleted']);
  });

  it('can be injected by hand with any EventBridge client that signs as AWS’s services', async () => {
    const vm = await launch('injected');
    await reaches(vm, 'running');
    const events = new EventBridgeClient(
      clientConfig(stack.endpoints.eventsUrl, 'us-east-1', serviceKey(defaultAccount)),
    );
    await events.send(
      new PutEventsCommand({
        Entries: [
          {
            Source: 'aws.ec2',
            DetailType: 'EC2 Spot Instance Interruption Warning',
            Detail: JSON.stringify({ 'instance-id': vm.instanceId, 'instance-action': 'stop' }),
          },
        ],
      }),
    );

    await expect
      .poll(() => told(vm).at(-1)?.message, { timeout: soon })
      .toContain('spot interruption: EC2 will stop it');
    expect(statuses(vm).at(-1)).toBe('running');
  });

  it('can take the way that the canary tries, whose age is reported, except while NATS is down', async () => {
    const reportedAges = (since: number) =>
      stack.said
        .slice(since)
        .flatMap((line) => /^ec2-sp-normaliser: .*"canaryAgeMs":\[?(\d+)/.exec(line)?.[1] ?? []);
    const failures = (since: number) =>
      stack.said.slice(since).filter((line) => line.includes('JetStream did not answer the canary'));
    const ageAfter = (since: number) =>
      expect.poll(() => reportedAges(since).length, { timeout: soon }).toBeGreaterThan(0);

    await ageAfter(stack.said.length);
    await stack.nats?.stop();
    const stopped = stack.said.length;
    await expect.poll(() => failures(stopped).length, { timeout: soon }).toBeGreaterThan(1);
    expect(reportedAges(stopped)).toEqual([]);
    await stack.nats?.start();
    await ageAfter(stack.said.length);

    expect(
      reportedAges(0)
        .map(Number)
        .every((ms) => ms < soon),
    ).toBe(true);
  });

  it('that cannot be read goes to the dead-letter queue with the reason, and delays no other event', async () => {
    const sqs = new SQSClient(clientConfig(stack.endpoints.sqsUrl));
    const { observationsQueueUrl, deadLetterQueueUrl } = stack.endpoints;
    await sqs.send(
      new SendMessageCommand({ QueueUrl: observationsQueueUrl, MessageBody: '{"not":"an event"' }),
    );
    const vm = await launch('unhindered');
    await reaches(vm, 'running');

    const { Messages } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: deadLetterQueueUrl,
        WaitTimeSeconds: 20,
        MessageAttributeNames: ['All'],
      }),
    );

    expect(Messages?.[0]).toMatchObject({
      Body: '{"not":"an event"',
      MessageAttributes: { reason: { StringValue: expect.stringContaining('no EventBridge event') } },
    });
  });

  const stateOf = ({ instanceId }: DemoInstance) =>
    stack.ec2?.instances().find((instance) => instance.instanceId === instanceId)?.state;
});
