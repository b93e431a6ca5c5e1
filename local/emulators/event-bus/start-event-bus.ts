import { randomUUID } from 'node:crypto';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { Hono } from 'hono';
import * as z from 'zod';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import { type LocalServer, serve } from '../../processes/loopback.ts';
import { clientConfig } from '../client-config.ts';
import { deliveries, type Rule } from './delivery.ts';
import { eventPattern } from './event-pattern.ts';

type Options = {
  readonly port?: number;
  readonly rules: readonly Rule[];
  /** The account of all events. */
  readonly account: string;
  /** Called for events that could not be delivered. */
  readonly log: (line: string) => void;
};

/**
 * EventBridge's default bus: PutEvents over HTTP, and rules. Unlike AWS it accepts events whose `source` begins with `aws.`, because the EC2
 * simulator's events arrive this way too. It answers before it delivers, as AWS does.
 * @throws ZodError for an invalid event pattern.
 */
export const startEventBus = async ({ port, rules, account, log }: Options): Promise<LocalServer> => {
  const targets = rules.map(({ patterns, ...rule }) => ({ rule, matchers: patterns.map(eventPattern) }));
  const pending = deliveries(log);

  const put = (entry: unknown, region: string) => {
    const { answer, event } = acceptEntry(entry, { account, region });
    if (event === undefined) return answer;
    const matching = targets.filter(({ matchers }) => matchers.some((matches) => matches(event)));
    for (const { rule } of matching) pending.begin(rule, JSON.stringify(event));
    return answer;
  };

  const app = new Hono();
  app.post('/', async ({ req }) => {
    if (req.header('x-amz-target') !== 'AWSEvents.PutEvents') return failed('UnknownOperationException');
    const request = PutEvents.safeParse(await req.json().catch(() => undefined));
    if (!request.success) return failed('ValidationException', z.prettifyError(request.error));
    const region = regionOf(req.header('authorization'));
    const answers = request.data.Entries.map((entry) => put(entry, region));
    return json(200, {
      FailedEntryCount: answers.filter((one) => 'ErrorCode' in one).length,
      Entries: answers,
    });
  });
  const http = await serve(app.fetch, port);
  return {
    url: http.url,
    [Symbol.asyncDispose]: async () => {
      await http[Symbol.asyncDispose]();
      await pending.end();
    },
  };
};

/** The region in the signature's credential scope: `Credential=KEY/20250101/us-east-1/events/aws4_request`. */
const regionOf = (authorization = ''): string =>
  /Credential=[^/]+\/\d{8}\/([\w-]+)\//.exec(authorization)?.[1] ?? 'us-east-1';

const failed = (__type: string, message?: string) => json(400, { __type, message });

const json = (status: number, body: unknown) =>
  new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() },
  });

/**
 * The entries of one PutEvents request.
 * @see https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 */
const PutEvents = z.object({ Entries: z.array(z.unknown()).min(1).max(10) });

/** The account and the region of events, which entries do not have. */
export type Origin = { readonly account: string; readonly region: string };

/** PutEvents's answer for one entry, and the event where the entry was accepted. */
export type Outcome = {
  readonly answer:
    | { readonly EventId: string }
    | { readonly ErrorCode: string; readonly ErrorMessage: string };
  readonly event?: EventBridgeEvent;
};

/** Seconds since 1970, as AWS's JSON protocol has it, or a text, as hand-written JSON may have it. */
const Time = z.union([
  z.number().transform((seconds) => seconds * 1000),
  z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
]);

const required = (name: string) => {
  const error = `Parameter ${name} is not valid. Reason: ${name} is a required argument.`;
  return z.string({ error }).min(1, { error });
};

const Detail = z.record(z.string(), z.unknown());

const Entry = z.object({
  Source: required('Source'),
  DetailType: required('DetailType'),
  Detail: required('Detail'),
  Time: Time.optional(),
  Resources: z.array(z.string()).default([]),
});

/** Makes an entry into the event that targets receive, or answers AWS's error. */
const acceptEntry = (input: unknown, { account, region }: Origin): Outcome => {
  const entry = Entry.safeParse(input);
  if (!entry.success)
    return refused('InvalidArgument', entry.error.issues.map(({ message }) => message).join(' '));
  const detail = Detail.safeParse(parsed(entry.data.Detail));
  if (!detail.success) return refused('MalformedDetail', 'Detail is malformed.');
  const { Source: source, DetailType, Time: atMs = Date.now(), Resources: resources } = entry.data;
  const id = randomUUID();
  const event = {
    version: '0',
    id,
    'detail-type': DetailType,
    source,
    account,
    time: toTheSecond(atMs),
    region,
    resources,
    detail: detail.data,
  };
  return { answer: { EventId: id }, event };
};

const refused = (ErrorCode: string, ErrorMessage: string): Outcome => ({
  answer: { ErrorCode, ErrorMessage },
});

/** `undefined` where the text is not JSON. */
const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
};

const toTheSecond = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

/** Puts events on the bus at `url` with the AWS SDK, signed for the event's region. */
export const forwardToBus = (url: string) => {
  const clients = new Map<string, EventBridgeClient>();
  return async (event: EventBridgeEvent): Promise<void> => {
    const client = clients.get(event.region) ?? new EventBridgeClient(clientConfig(url, event.region));
    clients.set(event.region, client);
    const { FailedEntryCount = 0, Entries } = await client.send(
      new PutEventsCommand({
        Entries: [
          {
            Source: event.source,
            DetailType: event['detail-type'],
            Time: new Date(event.time),
            Resources: [...event.resources],
            Detail: JSON.stringify(event.detail),
          },
        ],
      }),
    );
    if (FailedEntryCount > 0)
      throw new Error(`the event bus refused an event: ${Entries?.[0]?.ErrorMessage}`);
  };
};
