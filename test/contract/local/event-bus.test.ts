import { EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { serviceKey } from '../../../local/emulators/callers.ts';
import { clientConfig } from '../../../local/emulators/client-config.ts';
import { type Deliver, sendToQueue } from '../../../local/emulators/event-bus/delivery.ts';
import {
  forwardToBus,
  type Rule,
  startEventBus,
} from '../../../local/emulators/event-bus/start-event-bus.ts';
import { createQueue, startSqs } from '../../../local/emulators/sqs.ts';
import { stateChange } from '../../../shared/service-types/vm/events/state-change.ts';
import { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import { identity } from '../../fixtures/resource-messages.ts';

const entry: PutEventsRequestEntry = {
  Source: 'aws.ec2',
  DetailType: 'EC2 Instance State-change Notification',
  Detail: '{"instance-id":"i-1234567890abcdef0","state":"running"}',
};
const ofEc2 = { source: ['aws.ec2'] };

/** An event bus whose rules keep what they are handed. */
type Given = Pick<Rule, 'patterns'> & { readonly deliver?: Deliver };
const bus = async (rules: Given[] = [{ patterns: [ofEc2] }]) => {
  const delivered: EventBridgeEvent[][] = rules.map(() => []);
  const lines: string[] = [];
  const part = await startEventBus({
    log: (line) => lines.push(line),
    buses: [
      {
        ...{ name: 'default', account: '123456789012' },
        rules: rules.map((rule, index) => ({
          name: `rule-${index}`,
          deliver: async (event) => void delivered[index]?.push(EventBridgeEvent.parse(JSON.parse(event))),
          ...rule,
        })),
      },
    ],
  });
  const config = clientConfig(part.url, 'eu-west-1', serviceKey('123456789012'));
  const client = new EventBridgeClient({ ...config, maxAttempts: 1 });
  return {
    ...part,
    delivered,
    lines,
    put: (...Entries: PutEventsRequestEntry[]) => client.send(new PutEventsCommand({ Entries })),
  };
};

describe('event bus', () => {
  it('makes of an entry the event that AWS would', async () => {
    await using events = await bus();

    const answer = await events.put({
      ...entry,
      Time: new Date('2025-03-01T10:20:30.987Z'),
      Resources: ['arn:aws:ec2:eu-west-1:123456789012:instance/i-1234567890abcdef0'],
    });

    const id = answer.Entries?.[0]?.EventId;
    expect(answer).toMatchObject({ FailedEntryCount: 0, Entries: [{ EventId: expect.any(String) }] });
    await expect
      .poll(() => events.delivered[0])
      .toEqual([
        {
          version: '0',
          id,
          'detail-type': 'EC2 Instance State-change Notification',
          source: 'aws.ec2',
          account: '123456789012',
          time: '2025-03-01T10:20:30Z',
          region: 'eu-west-1',
          resources: ['arn:aws:ec2:eu-west-1:123456789012:instance/i-1234567890abcdef0'],
          detail: { 'instance-id': 'i-1234567890abcdef0', state: 'running' },
        },
      ]);
  });

  it('makes events that the normaliser reads', async () => {
    await using events = await bus();

    await events.put(entry);

    await expect.poll(() => events.delivered[0]).toHaveLength(1);
    const resourceMessages = events.delivered[0]?.flatMap((event) => stateChange.toMessages(event, identity));
    expect(resourceMessages).toMatchObject([{ kind: 'observation', state: 'running', region: 'eu-west-1' }]);
  });

  it('delivers an event once to each rule that it matches', async () => {
    await using events = await bus([
      { patterns: [ofEc2, { region: ['eu-west-1'] }] },
      { patterns: [{ source: ['aws.health'] }] },
      { patterns: [{ detail: { state: ['running'] } }] },
    ]);

    await events.put(entry);

    await expect.poll(() => events.delivered.map(({ length }) => length)).toEqual([1, 0, 1]);
  });

  it('says of each entry what is wrong with it, and takes the others', async () => {
    await using events = await bus();

    const answer = await events.put(
      { ...entry, Detail: undefined },
      { ...entry, Source: undefined },
      { ...entry, DetailType: '' },
      { ...entry, Detail: 'running' },
      { ...entry, Detail: '["running"]' },
      entry,
    );

    const missing = (name: string) => ({
      ErrorCode: 'InvalidArgument',
      ErrorMessage: `Parameter ${name} is not valid. Reason: ${name} is a required argument.`,
    });
    const malformed = { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
    expect(answer.FailedEntryCount).toBe(5);
    expect(answer.Entries).toEqual([
      missing('Detail'),
      missing('Source'),
      missing('DetailType'),
      malformed,
      malformed,
      { EventId: expect.any(String) },
    ]);
    await expect.poll(() => events.delivered[0]).toHaveLength(1);
  });

  it('refuses more than ten entries, and other operations', async () => {
    await using events = await bus();
    const headers = { 'x-amz-target': 'AWSEvents.ListRules' };

    const other = await fetch(events.url, { method: 'POST', headers, body: '{}' });

    await expect(events.put(...Array.from({ length: 11 }, () => entry))).rejects.toMatchObject({
      name: 'ValidationException',
    });
    expect(other.status).toBe(400);
    expect(await other.json()).toMatchObject({ __type: 'UnknownOperationException' });
  });

  it('delivers again after a failure, and says so when it gives up', async () => {
    let attempts = 0;
    const failing = (until: number) => async () => {
      attempts += 1;
      if (attempts < until) throw new Error('no such queue');
    };
    await using recovering = await bus([{ patterns: [ofEc2], deliver: failing(3) }]);
    await recovering.put(entry);
    await expect.poll(() => attempts).toBe(3);

    await using hopeless = await bus([{ patterns: [ofEc2], deliver: failing(Infinity) }]);
    await hopeless.put(entry);

    await expect.poll(() => hopeless.lines).toHaveLength(1);
    expect(hopeless.lines[0]).toMatch(/^rule-0: event lost: no such queue: \{"version":"0".*"running"/);
    expect(recovering.lines).toEqual([]);
  });

  it('delivers what it has taken on before it ends', async () => {
    const events = await bus();

    await events.put(entry, entry);
    await events[Symbol.asyncDispose]();

    expect(events.delivered[0]).toHaveLength(2);
  });

  it('refuses a rule whose pattern is none', async () => {
    await expect(bus([{ patterns: [{ source: 'aws.ec2' }] }])).rejects.toThrow();
  });
});

const [home, member, stranger] = ['123456789012', '222222222222', '333333333333'] as const;
const hub = { name: 'dcm-ec2-sp', account: home };
const hubArn = `arn:aws:events:us-east-1:${home}:event-bus/${hub.name}`;

/** Two accounts that forward the events of EC2 to a bus of a third, which accepts those of one of them and has a rule for them. */
const buses = async (listed: readonly string[] = [member]) => {
  const delivered: EventBridgeEvent[] = [];
  const lines: string[] = [];
  const forwarding = (account: string) => ({
    ...{ name: 'default', account },
    rules: [{ name: `forward-${account}`, patterns: [ofEc2], bus: hub }],
  });
  const deliver = async (event: string) => void delivered.push(EventBridgeEvent.parse(JSON.parse(event)));
  const part = await startEventBus({
    log: (line) => lines.push(line),
    buses: [
      { name: 'default', account: home, rules: [] },
      forwarding(member),
      forwarding(stranger),
      {
        ...hub,
        rules: [{ name: 'observations', patterns: [{ ...ofEc2, account: [member] }], deliver }],
        accepts: ({ account, source }) => listed.includes(account) && source === 'aws.ec2',
      },
    ],
  });
  return {
    ...part,
    delivered,
    lines,
    put: async (accessKeyId: string, one: PutEventsRequestEntry) => {
      const client = new EventBridgeClient(clientConfig(part.url, 'eu-west-1', accessKeyId));
      const { Entries } = await client.send(new PutEventsCommand({ Entries: [one] }));
      return Entries?.[0]?.ErrorCode ?? 'accepted';
    },
  };
};

describe('event buses of several accounts', () => {
  it("forward a service's event to the hub as it is, with its account, region and id", async () => {
    await using events = await buses();
    const event = { ...eventOf(member), region: 'eu-west-1' };

    await forwardToBus(events.url)(event);

    await expect.poll(() => events.delivered).toEqual([{ ...event, id: expect.any(String) }]);
  });

  it('refuse the event of an account that the policy of the hub does not list', async () => {
    await using events = await buses();

    await forwardToBus(events.url)(eventOf(stranger));

    await expect.poll(() => events.lines).toHaveLength(1);
    expect(events.lines[0]).toMatch(/^forward-333333333333: event lost: the bus dcm-ec2-sp does not accept/);
    expect(events.delivered).toEqual([]);
  });

  it('deliver no event of an account that the policy lists and the rule does not', async () => {
    await using events = await buses([member, stranger]);

    await forwardToBus(events.url)(eventOf(stranger));
    await forwardToBus(events.url)(eventOf(member));

    await expect.poll(() => events.delivered.map(({ account }) => account)).toEqual([member]);
    expect(events.lines).toEqual([]);
  });

  it('refuse events that the owner of this machine puts in the name of a service', async () => {
    await using events = await buses();

    expect(await events.put('local', entry)).toBe('NotAuthorizedForSourceException');
    expect(await events.put('local', { ...entry, Source: 'my.app' })).toBe('accepted');
    expect(events.delivered).toEqual([]);
  });

  it('refuse events that a customer puts in the name of a service, on the own bus and on that of another account', async () => {
    await using events = await buses();

    const answers = [
      await events.put(member, entry),
      await events.put(member, { ...entry, EventBusName: hubArn }),
      await events.put(serviceKey(member), { ...entry, EventBusName: hubArn }),
      await events.put(member, { ...entry, Source: 'my.app' }),
      await events.put(member, { ...entry, Source: 'my.app', EventBusName: hubArn }),
    ];

    expect(answers).toEqual([
      'NotAuthorizedForSourceException',
      'NotAuthorizedForSourceException',
      'NotAuthorizedForSourceException',
      'accepted',
      'AccessDeniedException',
    ]);
    expect(events.delivered).toEqual([]);
  });

  it('deliver a forged event, which a test hands to a bus', async () => {
    await using events = await buses();

    events.receive({ ...eventOf(member), id: 'forged' }, hub);

    await expect.poll(() => events.delivered.map(({ id }) => id)).toEqual(['forged']);
    expect(() => events.receive(eventOf(member), { ...hub, name: 'unknown' })).toThrow(
      'no event bus unknown',
    );
  });

  const eventOf = (account: string): EventBridgeEvent => ({
    ...{ version: '0', id: 'of the emulator', account, region: 'us-east-1' },
    ...{ source: 'aws.ec2', 'detail-type': entry.DetailType ?? '', time: '2025-03-01T10:20:30Z' },
    resources: [`arn:aws:ec2:us-east-1:${account}:instance/i-1234567890abcdef0`],
    detail: { 'instance-id': 'i-1234567890abcdef0', state: 'running' },
  });
});

describe('event bus with a queue as the target', () => {
  it('sends every event as one message', async () => {
    await using sqs = await startSqs();
    const QueueUrl = await createQueue(sqs.url, 'observations');
    await using events = await bus([{ patterns: [ofEc2], deliver: sendToQueue(QueueUrl, sqs.url) }]);
    const detail = (n: number) => ({ ...entry, Detail: JSON.stringify({ n }) });

    await Promise.all([
      events.put(...Array.from({ length: 10 }, (_, n) => detail(n))),
      events.put(...Array.from({ length: 10 }, (_, n) => detail(10 + n))),
    ]);

    const client = new SQSClient(clientConfig(sqs.url));
    const received: number[] = [];
    await expect
      .poll(async () => {
        const request = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 });
        const { Messages = [] } = await client.send(request);
        received.push(...Messages.map(({ Body = '' }) => JSON.parse(Body).detail.n));
        return received.toSorted((a, b) => a - b);
      })
      .toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  it('says which events the queue did not take', async () => {
    await using sqs = await startSqs();
    const QueueUrl = await createQueue(sqs.url, 'observations');
    const send = sendToQueue(QueueUrl, sqs.url);
    const forbidden = '\u0000';

    const outcomes = await Promise.allSettled([send('fine'), send(forbidden), send('fine too')]);
    const nowhere = sendToQueue(`${sqs.url}/000000000000/nowhere`, sqs.url)('lost');

    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    await expect(nowhere).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
  });
});
