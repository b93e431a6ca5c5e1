import type { SQSEvent } from 'aws-lambda';
import { sqsEvent } from '../local/emulators/event-source-mapping.ts';
import { TagKeys } from '../shared/core/ownership.ts';
import type { InstanceState } from '../shared/service-types/vm/kind.ts';
import { eventBridgeEvent } from '../test/fixtures/eventbridge.ts';

export const region = 'us-east-1';
export const account = '123456789012';
export const tagKeys = TagKeys.parse({});

/** An instance of the workload, and what DCM would call it. */
export type Subject = { readonly instanceId: string; readonly dcmId: string };

/** So many instances; `series`, one hexadecimal digit, keeps those of one workload apart from another's. */
export const subjects = (count: number, series: string): Subject[] =>
  Array.from({ length: count }, (_, index) => ({
    instanceId: `i-${series}${index.toString(16).padStart(16, '0')}`,
    dcmId: `${series.repeat(8)}-0000-4000-8000-${index.toString(16).padStart(12, '0')}`,
  }));

const stateChange = eventBridgeEvent('state-change-running');

const from = ({ instanceId }: Subject, at: number) => ({
  id: crypto.randomUUID(),
  time: new Date(at * 1000).toISOString().replace('.000', ''),
  account,
  region,
  resources: [`arn:aws:ec2:${region}:${account}:instance/${instanceId}`],
});

/** An instance came into a state, `at` in seconds since 1970. */
export type Change = { readonly subject: Subject; readonly state: InstanceState; readonly at: number };

/** Instances that are started and stopped again and again, side by side, each at most once within a second of their own clock. */
export function* changesOf(all: readonly Subject[], from: number): Generator<Change, never> {
  for (let at = from; ; ) {
    for (const state of ['pending', 'running', 'stopping', 'stopped'] as const) {
      for (const subject of all) yield { subject, state, at };
      at += 1;
    }
  }
}

/** A state change as EventBridge puts it into the queue. */
export const stateChangeBody = ({ subject, state, at }: Change): string =>
  JSON.stringify({
    ...stateChange,
    ...from(subject, at),
    detail: { 'instance-id': subject.instanceId, state },
  });

const batchSize = 10;

/** The bodies as Lambda hands them over, in batches of ten, each message at its first delivery. */
export const sqsBatches = (bodies: readonly string[]): SQSEvent[] => {
  const messages = bodies.map((Body) => ({
    MessageId: crypto.randomUUID(),
    ReceiptHandle: 'receipt',
    Body,
    Attributes,
  }));
  return Array.from({ length: Math.ceil(messages.length / batchSize) }, (_, index) =>
    sqsEvent(
      messages.slice(index * batchSize, (index + 1) * batchSize),
      `arn:aws:sqs:${region}:${account}:observations`,
    ),
  );
};

const Attributes = {
  ApproximateReceiveCount: '1',
  SentTimestamp: '1787394600000',
  SenderId: 'AIDAIENQZJOLO23YVJ4VO',
  ApproximateFirstReceiveTimestamp: '1787394600001',
};
