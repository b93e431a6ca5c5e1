import * as z from 'zod/mini';
import type { Account } from './account.ts';

/** An event as EventBridge delivered it to the queue, and how long after its own time, which has whole seconds. */
export type Arrived = {
  readonly id: string;
  readonly type: string;
  readonly seconds: number;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
};

const Event = z.object({
  ...{ id: z.string(), 'detail-type': z.string(), time: z.string() },
  ...{ resources: z.array(z.string()), detail: z.record(z.string(), z.unknown()) },
});

const Received = z.object({
  Messages: z.optional(
    z.array(
      z.object({
        ...{ MessageId: z.string(), ReceiptHandle: z.string(), Body: z.string() },
        Attributes: z.object({ SentTimestamp: z.string() }),
      }),
    ),
  ),
});

/**
 * Sends the events of these types to a queue of their own, and returns how to read those that arrive within a time and are about one resource.
 * Events of other resources of the account arrive too, and are dropped.
 */
export const eventsOf = async (
  { name, ask, tell, toRemove, sleep, seconds }: Account,
  types: readonly string[],
  about: string,
) => {
  const own = `${name}-${about}`;
  toRemove(`queue ${own}`, async () => {
    const { QueueUrl } = await ask(
      ['sqs', 'get-queue-url', '--queue-name', own],
      z.object({ QueueUrl: z.string() }),
      { QueueUrl: 'QUEUE-URL' },
    );
    await tell(['sqs', 'delete-queue', '--queue-url', QueueUrl]);
  });
  const { QueueUrl: url } = await ask(
    ['sqs', 'create-queue', '--queue-name', own],
    z.object({ QueueUrl: z.string() }),
    { QueueUrl: 'QUEUE-URL' },
  );
  const { Attributes } = await ask(
    ['sqs', 'get-queue-attributes', '--queue-url', url, '--attribute-names', 'QueueArn'],
    z.object({ Attributes: z.object({ QueueArn: z.string() }) }),
    { Attributes: { QueueArn: 'QUEUE-ARN' } },
  );
  const arn = Attributes.QueueArn;
  toRemove(`rule ${own}`, async () => {
    await tell(['events', 'remove-targets', '--rule', own, '--ids', 'queue']);
    await tell(['events', 'delete-rule', '--name', own]);
  });
  const pattern = JSON.stringify({ source: [{ prefix: 'aws.' }], 'detail-type': types });
  const { RuleArn } = await ask(
    ['events', 'put-rule', '--name', own, '--event-pattern', pattern],
    z.object({ RuleArn: z.string() }),
    { RuleArn: 'RULE-ARN' },
  );
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        ...{ Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sqs:SendMessage' },
        ...{ Resource: arn, Condition: { ArnEquals: { 'aws:SourceArn': RuleArn } } },
      },
    ],
  });
  const attributes = JSON.stringify({ Policy });
  await tell(['sqs', 'set-queue-attributes', '--queue-url', url, '--attributes', attributes]);
  await tell([
    'events',
    'put-targets',
    '--rule',
    own,
    '--targets',
    JSON.stringify([{ Id: 'queue', Arn: arn }]),
  ]);
  await sleep(30); // until rule and policy take effect

  const receive = async (): Promise<Arrived[]> => {
    const { Messages = [] } = await ask(
      [
        ...['sqs', 'receive-message', '--queue-url', url, '--max-number-of-messages', '10'],
        ...['--wait-time-seconds', '10', '--attribute-names', 'SentTimestamp'],
      ],
      Received,
      {},
    );
    if (Messages.length === 0) return [];
    const entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: `${index}`, ReceiptHandle }));
    await tell(['sqs', 'delete-message-batch', '--queue-url', url, '--entries', JSON.stringify(entries)]);
    return Messages.map(({ Body, Attributes: sent }) => {
      const { id, 'detail-type': type, time, resources, detail } = Event.parse(JSON.parse(Body));
      const late = Number(sent.SentTimestamp) / 1000 - Date.parse(time) / 1000;
      return { id, type, seconds: Math.max(0, Math.round(late)), resources, detail };
    });
  };

  /** The events of a resource, by the end of its ARN, that arrive within so many seconds. */
  return async (resource: string, within: number): Promise<Arrived[]> => {
    const arrived: Arrived[] = [];
    const end = seconds() + within;
    do arrived.push(...(await receive()));
    while (seconds() < end && resource !== dryRunResource);
    return arrived.filter(({ resources }) => resources.some((one) => one.endsWith(resource)));
  };
};

/** The id of a resource in samples. */
export const dryRunResource = 'RESOURCE-ID';
