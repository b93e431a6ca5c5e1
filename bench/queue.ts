import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { connect } from '@nats-io/transport-node';
import { clientConfig } from '../local/client-config.ts';
import { provider } from '../local/options.ts';
import { type Stack, startStack } from '../local/stack.ts';
import { dynamoDbResourceStore } from '../shared/adapters/dynamodb/resource-store.ts';
import { sequenceOf } from '../shared/core/gate.ts';
import { type Acknowledgements, acknowledgements } from './acknowledgements.ts';
import type { Figures } from './figures.ts';
import { observationsQueue } from './observations-queue.ts';
import { countSqsRequests } from './sqs-requests.ts';
import { percentile } from './statistics.ts';
import { temporaryFolder } from './temporary-folder.ts';
import {
  account,
  type Change,
  changesOf,
  region,
  type Subject,
  stateChangeBody,
  subjects,
} from './workload.ts';

const vms = 500;
const strangers = 125;
const seconds = 10;
const warmUpPerSecond = 100;

/** The way from the queue to JetStream in the running local stack, and the SQS requests that it takes. No VM ends: EC2 is not asked. */
export const queue = async (): Promise<Figures> => {
  await using folder = await temporaryFolder();
  await using stack = await startStack({ folder: folder.path, log: () => {}, progress: () => {} });
  using feeder = queueFeeder(stack);
  const anHourAgo = Math.floor(Date.now() / 1000) - 3600;
  const ours = subjects(vms, 'c');
  const ownChanges = changesOf(ours, anHourAgo);
  const foreignChanges = changesOf(subjects(strangers, 'd'), anHourAgo);

  await claim(stack, ours);
  await feeder.run(ownChanges, warmUpPerSecond);
  const slow = await feeder.run(ownChanges, 50);
  const fast = await feeder.run(ownChanges, 500);
  await feeder.run(foreignChanges, warmUpPerSecond); // first sight
  const foreign = await feeder.run(foreignChanges, 50);

  const stored = await storedIn(stack);
  const [atSlow, atFast] = [latenciesMs(slow.sent, stored), latenciesMs(fast.sent, stored)];
  return {
    queue_to_ack_50_p50_ms: percentile(atSlow, 0.5),
    queue_to_ack_50_p95_ms: percentile(atSlow, 0.95),
    queue_to_ack_50_p99_ms: percentile(atSlow, 0.99),
    queue_to_ack_500_p50_ms: percentile(atFast, 0.5),
    queue_to_ack_500_p95_ms: percentile(atFast, 0.95),
    queue_to_ack_500_p99_ms: percentile(atFast, 0.99),
    queue_requests_per_1000_owned: slow.requestsPer1000,
    queue_requests_per_1000_foreign: foreign.requestsPer1000,
  };
};

/** As a launch through the API does; EC2, which does not know these instances, need not be asked for their addresses. */
const claim = async ({ endpoints }: Stack, all: readonly Subject[]): Promise<void> => {
  const client = new DynamoDBClient(clientConfig(endpoints.dynamodbUrl));
  const resourceStore = dynamoDbResourceStore(DynamoDBDocumentClient.from(client), `${provider}-fleet`);
  for (const vm of all) await resourceStore.claim({ ...vm, region, account, privateAddress: '10.0.0.4' });
  client.destroy();
};

/** Fills the observations queue, waits each time until all is done, and counts the SQS requests that it took. */
const queueFeeder = ({ endpoints }: Stack) => {
  const observations = observationsQueue(endpoints);
  const requests = countSqsRequests();
  const feed = async <Item extends { readonly body: string }>(items: readonly Item[], perSecond: number) => {
    const before = requests.count();
    const sent = await observations.send(items, perSecond);
    await observations.drained();
    return { sent, requestsPer1000: ((requests.count() - before) * 1000) / items.length };
  };
  return {
    feed,
    run: (changes: Iterator<Change, never>, perSecond: number) => {
      const told = Array.from({ length: perSecond * seconds }, () => changes.next().value);
      return feed(
        told.map((change) => ({ ...change, body: stateChangeBody(change) })),
        perSecond,
      );
    },
    [Symbol.dispose]: () => {
      requests[Symbol.dispose]();
      observations[Symbol.dispose]();
    },
  };
};

const storedIn = async ({ endpoints }: Stack): Promise<Acknowledgements> => {
  const nats = await connect({ servers: endpoints.natsUrl });
  try {
    return await acknowledgements(nats);
  } finally {
    await nats.close();
  }
};

type Told = Change & { readonly sentAtMs: number };

/** A state that a later one overtook is never told; it counts until the later one is. @throws where neither was. */
const latenciesMs = (told: readonly Told[], stored: Acknowledgements): number[] =>
  told.map(({ sentAtMs, subject: { instanceId }, ...change }) => {
    const sequence = sequenceOf(change);
    const acknowledged = stored.get(instanceId)?.find((status) => status.sequence >= sequence);
    if (acknowledged === undefined) throw new Error(`JetStream was not told of ${instanceId}.`);
    return acknowledged.atMs - sentAtMs;
  });
