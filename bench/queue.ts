import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { DeliverPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import * as z from 'zod';
import { clientConfig } from '../local/emulators/client-config.ts';
import { ensureStatusStream } from '../local/emulators/dcm/status-consumer.ts';
import { provider } from '../local/stack/options.ts';
import { dynamoDbResourceStore } from '../shared/adapters/dynamodb/resource-store.ts';
import { sequenceOf } from '../shared/core/gate.ts';
import { kinds } from '../shared/service-types/kinds.ts';
import { vmKind } from '../shared/service-types/vm/kind.ts';
import { startMeasuredStack, type Usage } from './emulators.ts';
import type { Figures } from './figures.ts';
import { percentile } from './measure.ts';
import {
  account,
  type Change,
  changesOf,
  region,
  type Subject,
  stateChangeBody,
  subjects,
} from './workload.ts';

const ownInstances = 500;
const foreignInstances = 125;
const seconds = 10;
const warmUpPerSecond = 100;
const timeoutMs = 90_000;
const pollMs = 50;

type MeasuredStack = Awaited<ReturnType<typeof startMeasuredStack>>;

/**
 * The way from the queue to JetStream in the local stack, and the SQS requests that it takes. No VM ends, so EC2 is not asked. No control
 * plane runs: the database of the emulated one would hold up the event loop that it shares with the Lambda host. There is no status bus
 * either: its subscribers and their emulated tables would take the two processors from the way that is measured; on AWS they share none.
 */
export const queue = async (): Promise<Figures> => {
  await using stack = await startMeasuredStack({
    controlPlaneUrl: 'http://127.0.0.1:9',
    hasStatusBus: false,
  });
  await createStatusStream(stack);
  const anHourAgo = Math.floor(Date.now() / 1000) - 3600;
  const own = subjects(ownInstances, 'c');
  const ownChanges = changesOf(own, anHourAgo);
  const foreignChanges = changesOf(subjects(foreignInstances, 'd'), anHourAgo);

  await claim(stack, own);
  await sendChanges(stack, ownChanges, warmUpPerSecond);
  const slow = await sendChanges(stack, ownChanges, 50);
  const fast = await sendChanges(stack, ownChanges, 500);
  await sendChanges(stack, foreignChanges, warmUpPerSecond); // from now on it is known that they are foreign
  const foreign = await sendChanges(stack, foreignChanges, 50);

  const stored = await storedStatuses(stack.endpoints.natsUrl);
  const [slowMs, fastMs] = [latenciesMs(slow.sent, stored), latenciesMs(fast.sent, stored)];
  return {
    queue_to_ack_50_p50_ms: percentile(slowMs, 0.5),
    queue_to_ack_50_p95_ms: percentile(slowMs, 0.95),
    queue_to_ack_50_p99_ms: percentile(slowMs, 0.99),
    queue_to_ack_500_p50_ms: percentile(fastMs, 0.5),
    queue_to_ack_500_p95_ms: percentile(fastMs, 0.95),
    queue_to_ack_500_p99_ms: percentile(fastMs, 0.99),
    dynamodb_emulator_events_per_cpu_s: fast.sent.length / (fast.dynamoDb.cpuMs / 1000),
    sqs_emulator_events_per_cpu_s: fast.sent.length / (fast.sqs.cpuMs / 1000),
    queue_requests_per_1000_owned: requestsPer1000(slow),
    queue_requests_per_1000_foreign: requestsPer1000(foreign),
  };
};

/** As the control plane does. */
const createStatusStream = async ({ endpoints }: MeasuredStack): Promise<void> => {
  const nats = await connect({ servers: endpoints.natsUrl });
  await ensureStatusStream(nats);
  await nats.close();
};

/** As a launch through the API does; EC2, which does not know these instances, need not be asked for their addresses. */
const claim = async ({ endpoints }: MeasuredStack, all: readonly Subject[]): Promise<void> => {
  const client = new DynamoDBClient(clientConfig(endpoints.dynamodbUrl));
  const resourceStore = dynamoDbResourceStore(
    DynamoDBDocumentClient.from(client),
    `${provider}-fleet`,
    kinds,
  );
  for (const vm of all)
    await resourceStore.claim({
      dcmId: vm.dcmId,
      resourceId: vm.instanceId,
      region,
      account,
      privateAddress: '10.0.0.4',
    });
  client.destroy();
};

type SentChange = Change & {
  /** Milliseconds since 1970. */
  readonly sentAtMs: number;
};
type Run = { readonly sent: readonly SentChange[]; readonly dynamoDb: Usage; readonly sqs: Usage };

/** Sends changes to the observations queue for ten seconds, and waits until all are processed. */
const sendChanges = async (
  stack: MeasuredStack,
  changes: Iterator<Change, never>,
  perSecond: number,
): Promise<Run> => {
  const { sqsUrl, observationsQueueUrl: queueUrl } = stack.endpoints;
  const client = new SQSClient(clientConfig(sqsUrl));
  const [dynamoDb, sqs] = [await stack.dynamoDb.usage(), await stack.sqs.usage()];
  const messages = Array.from({ length: perSecond * seconds }, () => changes.next().value);
  const sent = await sendAtRate(client, queueUrl, messages, perSecond);
  await untilEmpty(client, queueUrl);
  client.destroy();
  return {
    sent,
    dynamoDb: difference(await stack.dynamoDb.usage(), dynamoDb),
    sqs: difference(await stack.sqs.usage(), sqs),
  };
};

/** At a fixed rate, however slow the answers: a queue that falls behind does not slow down its events. */
const sendAtRate = async (
  client: SQSClient,
  QueueUrl: string,
  changes: readonly Change[],
  perSecond: number,
): Promise<SentChange[]> => {
  const startedAt = performance.now();
  const sending: Promise<SentChange>[] = [];
  for (const change of changes) {
    const waitMs = startedAt + (sending.length * 1000) / perSecond - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    const sent = { ...change, sentAtMs: Date.now() };
    const command = new SendMessageCommand({ QueueUrl, MessageBody: stateChangeBody(change) });
    sending.push(client.send(command).then(() => sent));
  }
  return Promise.all(sending);
};

const untilEmpty = async (client: SQSClient, QueueUrl: string): Promise<void> => {
  const command = new GetQueueAttributesCommand({
    QueueUrl,
    AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
  });
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(pollMs)) {
    const { Attributes = {} } = await client.send(command);
    if (Object.values(Attributes).every((count) => count === '0')) return;
  }
  throw new Error(`The observations queue was not empty after ${timeoutMs / 1000} s.`);
};

const difference = (after: Usage, before: Usage): Usage => ({
  cpuMs: after.cpuMs - before.cpuMs,
  requests: Object.fromEntries(
    Object.entries(after.requests).map(([name, count]) => [name, count - (before.requests[name] ?? 0)]),
  ),
});

/** Without the requests of `untilEmpty`. */
const requestsPer1000 = ({ sent, sqs }: Run): number => {
  const counts = Object.entries(sqs.requests).filter(([name]) => name !== 'GetQueueAttributes');
  return (counts.reduce((sum, [, count]) => sum + count, 0) * 1000) / sent.length;
};

const StatusEvent = z.object({ instanceid: z.string(), sequence: z.coerce.number() });

/** When a status was stored in the stream, in milliseconds since 1970. */
type StoredStatus = { readonly sequence: number; readonly atMs: number };

/** The statuses of each instance in the status stream, by the instance's id, in stream order. */
const storedStatuses = async (natsUrl: string): Promise<ReadonlyMap<string, readonly StoredStatus[]>> => {
  const nats = await connect({ servers: natsUrl });
  const name = await (await jetstreamManager(nats)).streams.find('dcm.vm');
  const stream = await jetstream(nats).streams.get(name);
  const found = new Map<string, StoredStatus[]>();
  const consumer = await stream.getConsumer({ deliver_policy: DeliverPolicy.All });
  for await (const message of await consumer.consume()) {
    const { instanceid, sequence } = StatusEvent.parse(message.json());
    const { timestampNanos, pending } = message.info;
    const statuses = found.get(instanceid) ?? [];
    found.set(instanceid, statuses);
    statuses.push({ sequence, atMs: timestampNanos / 1e6 });
    if (pending === 0) break;
  }
  await nats.close();
  return found;
};

/** A state that a later one superseded is never published; it counts until the later one is. @throws where neither was. */
const latenciesMs = (
  sent: readonly SentChange[],
  stored: Awaited<ReturnType<typeof storedStatuses>>,
): number[] =>
  sent.map(({ sentAtMs, subject: { instanceId }, ...change }) => {
    const sequence = sequenceOf(vmKind, change);
    const status = stored.get(instanceId)?.find((one) => one.sequence >= sequence);
    if (status === undefined) throw new Error(`The stream has no status of ${instanceId}.`);
    return status.atMs - sentAtMs;
  });
