import { randomUUID } from 'node:crypto';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { Hono } from 'hono';
import * as z from 'zod';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import { type LocalServer, serve } from '../../processes/loopback.ts';
import { type Caller, type Callers, jsonErrorOf, keyCallers, serviceKey, signatureOf } from '../callers.ts';
import { clientConfig } from '../client-config.ts';
import { type Deliver, deliveries } from './delivery.ts';
import { eventPattern } from './event-pattern.ts';

/** A rule: delivers the events that match any of the patterns, to a function or another bus. */
export type Rule = {
  readonly name: string;
  /** Event patterns in EventBridge's language, of which EventPattern (shared/wire/eventbridge.ts) is a part. */
  readonly patterns: readonly unknown[];
} & ({ readonly deliver: Deliver } | { readonly deliver?: never; readonly bus: BusId });

/** Names a bus of an account. */
export type BusId = {
  /** `default`, which gets the events of AWS's services, or the name of a custom bus. */
  readonly name: string;
  readonly account: string;
};

/** A bus of an account. Unlike on AWS it is the same in all regions. */
export type Bus = BusId & {
  readonly rules: readonly Rule[];
  /** The bus's policy: which events of other accounts it accepts. @default none */
  readonly accepts?: (event: Pick<EventBridgeEvent, 'account' | 'source'>) => boolean;
};

type Options = {
  readonly port?: number;
  readonly buses: readonly Bus[];
  /** @default keyCallers of the first bus's account */
  readonly callers?: Callers;
  /** Called for events that could not be delivered. */
  readonly log: (line: string) => void;
};

export type EventBus = LocalServer & {
  /** Delivers an event by the rules of a bus, whatever its account and source. @throws where there is no such bus */
  receive(event: EventBridgeEvent, bus: BusId): void;
};

/**
 * EventBridge: PutEvents over HTTP, buses, and rules that deliver to functions of this process or to other buses. Events of AWS's services
 * arrive by PutEvents too, signed with their `serviceKey`. It answers before it delivers, as AWS does.
 * @throws ZodError for an invalid event pattern.
 */
export const startEventBus = async ({ port, buses, log, ...options }: Options): Promise<EventBus> => {
  const { callers = keyCallers(buses[0]?.account ?? '') } = options;
  const opened = buses.map(({ rules, ...bus }) => ({
    ...bus,
    rules: rules.map((rule) => ({ ...rule, matchers: rule.patterns.map(eventPattern) })),
  }));
  const find = ({ name, account }: BusId) =>
    opened.find((bus) => bus.name === name && bus.account === account);
  const pending = deliveries(log);

  const receive: EventBus['receive'] = (event, bus) => {
    const found = find(bus);
    if (found === undefined)
      throw new Error(`there is no event bus ${bus.name} in the account ${bus.account}`);
    for (const { matchers, ...rule } of found.rules) {
      if (!matchers.some((matches) => matches(event))) continue;
      if (rule.deliver) pending.begin(rule.name, rule.deliver, JSON.stringify(event));
      else forward(event, rule.name, { from: bus, to: rule.bus });
    }
  };
  /** To another bus an event goes as it is, with its account, source, id and time. */
  const forward = (event: EventBridgeEvent, rule: string, { from, to }: { from: BusId; to: BusId }): void => {
    if (isAccepted(event, from.account, to)) receive(event, to);
    else log(`${rule}: event lost: the bus ${to.name} does not accept it: ${JSON.stringify(event)}`);
  };
  const isAccepted = (event: EventBridgeEvent, sender: string, bus: BusId): boolean => {
    const found = find(bus);
    return (
      found !== undefined &&
      (found.account === sender || found.accepts?.({ account: sender, source: event.source }) === true)
    );
  };

  const put = (entry: unknown, { caller, region }: { caller: Caller; region: string }): Outcome['answer'] => {
    const { account, isService } = caller;
    const { answer, event, bus } = acceptEntry(entry, { account, region });
    if (event === undefined || bus === undefined) return answer;
    if (event.source.startsWith('aws.') && !(isService && bus.account === account)) {
      return refused('NotAuthorizedForSourceException', 'Not authorized for the source.').answer;
    }
    if (!isAccepted(event, account, bus)) {
      return refused('AccessDeniedException', `${caller.arn} may not put events on the bus ${bus.name}.`)
        .answer;
    }
    receive(event, bus);
    return answer;
  };

  const app = new Hono();
  app.post('/', async ({ req }) => {
    if (req.header('x-amz-target') !== 'AWSEvents.PutEvents') return failed('UnknownOperationException');
    const signature = signatureOf((name) => req.header(name));
    const caller = callers(signature);
    const refusal = caller.refusal('events:PutEvents');
    if (refusal !== undefined) return failed(jsonErrorOf(refusal), refusal.message);
    const request = PutEvents.safeParse(await req.json().catch(() => undefined));
    if (!request.success) return failed('ValidationException', z.prettifyError(request.error));
    if (sizeOf(request.data.Entries) > maximumBytes)
      return failed('ValidationException', 'Total size of the entries in the request is over the limit.');
    const answers = request.data.Entries.map((entry) => put(entry, { caller, region: signature.region }));
    return json(200, {
      FailedEntryCount: answers.filter((one) => 'ErrorCode' in one).length,
      Entries: answers,
    });
  });
  const http = await serve(app.fetch, port);
  return {
    url: http.url,
    receive,
    [Symbol.asyncDispose]: async () => {
      await http[Symbol.asyncDispose]();
      await pending.end();
    },
  };
};

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

const maximumBytes = 256 * 1024;

/** @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html (Calculating PutEvents event entry size) */
const sizeOf = (entries: readonly unknown[]): number =>
  entries.reduce<number>((sum, entry) => {
    const {
      Time,
      Source = '',
      DetailType = '',
      Detail = '',
      Resources = [],
    } = Sized.safeParse(entry).data ?? {};
    const texts = [Source, DetailType, Detail, ...Resources];
    return sum + (Time === undefined ? 0 : 14) + Buffer.byteLength(texts.join(''));
  }, 0);

const Sized = z.object({
  Time: z.unknown().optional(),
  Source: z.string().optional(),
  DetailType: z.string().optional(),
  Detail: z.string().optional(),
  Resources: z.array(z.string()).optional(),
});

/** The account and the region of events, which entries do not have. */
type Origin = { readonly account: string; readonly region: string };

/** PutEvents's answer for one entry, and where the entry is valid, the event and the bus that it is for. */
type Outcome = {
  readonly answer:
    | { readonly EventId: string }
    | { readonly ErrorCode: string; readonly ErrorMessage: string };
  readonly event?: EventBridgeEvent;
  readonly bus?: BusId;
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
  /** Name or ARN. */
  EventBusName: z.string().min(1).default('default'),
});

/** Makes an entry into the event that targets receive, or answers AWS's error. */
const acceptEntry = (input: unknown, { account, region }: Origin): Outcome => {
  const entry = Entry.safeParse(input);
  if (!entry.success)
    return refused('InvalidArgument', entry.error.issues.map(({ message }) => message).join(' '));
  const detail = Detail.safeParse(parsed(entry.data.Detail));
  if (!detail.success) return refused('MalformedDetail', 'Detail is malformed.');
  const { Source: source, DetailType, Time: atMs = Date.now(), Resources: resources } = entry.data;
  const [, busAccount = account, name = entry.data.EventBusName] =
    /^arn:[\w-]+:events:[\w-]+:(\d{12}):event-bus\/(.+)$/.exec(entry.data.EventBusName) ?? [];
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
  return { answer: { EventId: id }, event, bus: { name, account: busAccount } };
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

/** Puts events on the default bus of their account with the AWS SDK, as AWS's services there, signed for the event's region. */
export const forwardToBus = (url: string) => {
  const clients = new Map<string, EventBridgeClient>();
  return async (event: EventBridgeEvent): Promise<void> => {
    const key = `${event.account}/${event.region}`;
    const client =
      clients.get(key) ?? new EventBridgeClient(clientConfig(url, event.region, serviceKey(event.account)));
    clients.set(key, client);
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
