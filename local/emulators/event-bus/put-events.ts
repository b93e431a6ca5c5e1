import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';

/**
 * The entries of one PutEvents request.
 * @see https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 */
export const PutEvents = z.object({ Entries: z.array(z.unknown()).min(1).max(10) });

/** Where events come from, as far as the entry itself does not tell. */
export type Origin = { readonly account: string; readonly region: string };

/** What PutEvents answers for one entry, and the event that the entry became. */
export type Outcome = {
  readonly answer:
    | { readonly EventId: string }
    | { readonly ErrorCode: string; readonly ErrorMessage: string };
  readonly event?: EventBridgeEvent;
};

/** Seconds since 1970, as the JSON protocol writes a time; a text where a client writes its own JSON. */
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

/** Turns an entry into the event that targets receive, or says why not, in the words of AWS. */
export const acceptEntry = (input: unknown, { account, region }: Origin): Outcome => {
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

/** `undefined` where the text is no JSON. */
const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
};

const toTheSecond = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
