import * as z from 'zod';
import { reasonOf, UnreadableError } from '../../../shared/core/errors.ts';

/** RFC 3339 with seconds, as Go's time.RFC3339Nano parses it. */
export const Timestamp = z.iso.datetime({ offset: true }).regex(/T\d\d:\d\d:\d\d/, 'expected seconds');

/** Go decodes JSON's null into a string as "". */
const Text = z
  .string()
  .nullish()
  .transform((text) => text ?? '');

/** Begins with a scheme or with a segment without a colon; allows no control characters and no broken escapes. */
const uriReference = /^(?:[a-z][a-z\d+.-]*:|(?![^/?#]*:))(?:[^%\p{Cc}]|%[\da-f]{2})*$/iu;

const attributes = {
  specversion: z.enum(['1.0', '0.3']),
  id: Text,
  source: z.string().min(1).regex(uriReference, 'expected a URI reference').optional(),
  type: Text,
  subject: Text,
  time: Timestamp.or(z.literal('')).nullish(),
  datacontenttype: Text,
  dataschema: Text,
};

const int32 = 2 ** 31;
const Int32 = z
  .number()
  .min(-int32, 'below 32 bits')
  .max(int32 - 1, 'beyond 32 bits');
const Extension = z.union([z.string(), z.boolean(), Int32, z.null()]);

/**
 * A CloudEvent in the JSON format, as strict as DCM's consumer: `id`, `source` and `type` may be missing; names and types of extensions
 * must follow the specification.
 * @see https://github.com/cloudevents/sdk-go/blob/v2.16.2/v2/event/event_unmarshal.go (readJsonFromIterator)
 */
const CloudEvent = z
  .object({ ...attributes, data: z.unknown().optional(), data_base64: z.string().optional() })
  .catchall(Extension)
  .superRefine((event, { addIssue }) => {
    for (const name of Object.keys(event).filter((key) => !isLegalName(key, event.specversion)))
      addIssue({ code: 'custom', path: [name], message: 'not a legal extension name' });
  });
export type CloudEvent = z.infer<typeof CloudEvent>;

const attributeNames = new Set(Object.keys(attributes));
const isLegalName = (name: string, specversion: CloudEvent['specversion']) => {
  if (attributeNames.has(name.toLowerCase())) return attributeNames.has(name);
  return specversion === '0.3' || name === 'data_base64' || /^[a-z\d]+$/i.test(name);
};

/** @throws SyntaxError or ZodError where DCM's consumer cannot read the message; batches and binary mode are among those. */
const readCloudEvent = (message: Uint8Array): CloudEvent => {
  const json = new TextDecoder('utf-8', { ignoreBOM: true }).decode(message);
  const event = CloudEvent.parse(JSON.parse(json));
  if (occurrencesOf(json, 'specversion') > 1) throw new SyntaxError('specversion was already provided');
  return event;
};

/** How often the outermost object of this valid JSON has a key; JSON.parse keeps only the last occurrence. */
const occurrencesOf = (json: string, name: string): number => {
  let depth = 0;
  let times = 0;
  for (const [token, colon] of json.matchAll(/"(?:[^"\\]+|\\.)*"(?=(\s*:)?)|[{}[\]]/g)) {
    if (token === '{' || token === '[') depth += 1;
    else if (token === '}' || token === ']') depth -= 1;
    else if (depth === 1 && colon !== undefined && JSON.parse(token) === name) times += 1;
  }
  return times;
};

const jsonTypes = ['', 'application/json', 'text/json', 'application/cloudevents+json'];

/** The event's data as JSON. Data of another content type must be a string or base64 that contains JSON. */
const jsonDataOf = ({ specversion, data, data_base64, datacontenttype }: CloudEvent): unknown => {
  if (specversion === '1.0' && data_base64 !== undefined)
    return JSON.parse(Buffer.from(data_base64, 'base64').toString());
  const mediaType = datacontenttype.split(';', 1).join('').trim();
  return jsonTypes.includes(mediaType) ? data : JSON.parse(z.string().parse(data));
};

/** What DCM's consumer reads of a status event. It ignores type, source, subject and the NATS subject. */
export type StatusEvent = {
  /** DCM's instance id, which is the id of the row. */
  readonly id: string;
  /** In lower case, trimmed; any word, or empty. */
  readonly status: string;
  readonly message: string;
  readonly eventId: string;
  /** The CloudEvents extension of that name, where the provider sends it. DCM does not order events by it. */
  readonly sequence?: string | undefined;
  /** `output_spec` as sent, of any type; undefined where there is none. The older control plane does not read it. */
  readonly outputSpec?: unknown;
};

/** Go's JSON decoder ignores the case of keys. */
const ignoringCase = (data: unknown): unknown =>
  typeof data === 'object' && data !== null && !Array.isArray(data)
    ? Object.fromEntries(Object.entries(data).map(([key, value]) => [key.toLowerCase(), value]))
    : data;

const Data = z.preprocess(
  ignoringCase,
  z.object({
    id: Text.pipe(z.string().min(1)),
    status: Text.transform((status) => status.trim().toLowerCase()),
    message: Text,
    timestamp: Timestamp.nullish(),
    output_spec: z.unknown().optional(),
  }),
);

/** @throws UnreadableError with the reason where DCM's consumer drops the message. */
export const readStatusEvent = (message: Uint8Array): StatusEvent => {
  try {
    const event = readCloudEvent(message);
    const { id, status, message: text, output_spec: outputSpec } = Data.parse(jsonDataOf(event));
    const sequence = event.sequence === undefined ? undefined : String(event.sequence);
    return { id, status, message: text, eventId: event.id, sequence, outputSpec };
  } catch (error) {
    throw new UnreadableError(error instanceof z.ZodError ? issuesOf(error) : reasonOf(error), {
      cause: error,
    });
  }
};

const issuesOf = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => [...path, message].join(': ')).join('; ');
