import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultAccount, serviceKey } from '../../local/emulators/callers.ts';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { provider } from '../../local/stack/options.ts';
import { dynamoDbResourceStore } from '../../shared/adapters/dynamodb/resource-store.ts';
import { kinds } from '../../shared/service-types/kinds.ts';
import { type InstanceState, vmStatus } from '../../shared/service-types/vm/kind.ts';
import { randomFaults } from '../fakes/faulty.ts';
import { wholeLife } from '../fixtures/resource-messages.ts';
import { type TestStack, testStack } from './stack.ts';

const vms = 30;
const timeoutMs = 60_000;
const chance = randomFaults(20_261_121, 0);

const instanceId = (vm: number) => `i-${String(vm).padStart(17, '0')}`;
const dcmId = (vm: number) => `vm-${vm}`;

const entry = (detailType: string, vm: number, at: number, detail: object): PutEventsRequestEntry => ({
  Source: 'aws.ec2',
  DetailType: detailType,
  Time: new Date(at * 1000),
  Resources: [`arn:aws:ec2:us-east-1:123456789012:instance/${instanceId(vm)}`],
  Detail: JSON.stringify(detail),
});

/** The first transitions of a life, at random seconds of the last hour. */
const lifeOf = (vm: number, now: number) => {
  const states = wholeLife.slice(0, 1 + chance.below(wholeLife.length));
  const times = chance
    .shuffled(Array.from({ length: 3_500 }, (_, second) => now - 3_600 + second))
    .slice(0, states.length);
  times.sort((a, b) => a - b);
  return { vm, states, entries: states.map((state, step) => stateChange(vm, times[step] ?? now, state)) };
};

const stateChange = (vm: number, at: number, state: InstanceState) =>
  entry('EC2 Instance State-change Notification', vm, at, { 'instance-id': instanceId(vm), state });

/** As a launch through the API does; EC2, which does not know these instances, need not be asked for their addresses. */
const claim = async (dynamodbUrl: string, all: readonly number[]): Promise<void> => {
  const client = new DynamoDBClient(clientConfig(dynamodbUrl));
  const resourceStore = dynamoDbResourceStore(
    DynamoDBDocumentClient.from(client),
    `${provider}-fleet`,
    kinds,
  );
  const place = { region: 'us-east-1', account: '123456789012', privateAddress: '10.0.0.4' };
  for (const vm of all) await resourceStore.claim({ dcmId: dcmId(vm), resourceId: instanceId(vm), ...place });
  client.destroy();
};

describe('an hour of events, shuffled and duplicated', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await testStack();
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  it('ends with every row as its instance in EC2, and publishes no status twice or out of order', async () => {
    const now = Math.floor(Date.now() / 1000);
    const lives = Array.from({ length: vms }, (_, vm) => lifeOf(vm, now));
    await claim(
      stack.endpoints.dynamodbUrl,
      lives.map(({ vm }) => vm),
    );

    const events = lives.flatMap(({ entries }) => entries);
    await put(chance.shuffled([...events, ...events, ...events]));

    for (const { vm, states } of lives) {
      const truth = vmStatus(states.at(-1) ?? 'pending').toLowerCase();
      await expect
        .poll(async () => (await stack.controlPlane.row(dcmId(vm)))?.status, { timeout: timeoutMs })
        .toBe(truth);
    }
    const history = stack.controlPlane.history();
    const eventIds = history.map(({ eventId }) => eventId);
    expect(new Set(eventIds).size).toBe(eventIds.length);
    for (const { vm } of lives) {
      const sequences = history.filter(({ id }) => id === dcmId(vm)).map(({ sequence = '' }) => sequence);
      expect(sequences).toEqual(sequences.toSorted());
    }
  });

  const put = async (entries: readonly PutEventsRequestEntry[]) => {
    const bus = new EventBridgeClient(
      clientConfig(stack.endpoints.eventsUrl, 'us-east-1', serviceKey(defaultAccount)),
    );
    for (let start = 0; start < entries.length; start += 10) {
      await bus.send(new PutEventsCommand({ Entries: entries.slice(start, start + 10) }));
    }
    bus.destroy();
  };
});
