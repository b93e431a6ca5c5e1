import * as z from 'zod';
import { dropReason, eventOf } from '../conformance/consumer.ts';
import type { Received } from '../conformance/events.ts';

/** What docs/events.md promises of an event, read from its example and its tables. */
export type EventDocumentation = {
  readonly example: Readonly<Record<string, unknown>>;
  /** Attributes that an event may have; those of the example it must have. */
  readonly attributes: ReadonlySet<string>;
  readonly statuses: ReadonlySet<string>;
};

const longestMessageBytes = 1024;

/** @throws Error where the page has no example, or its table of fields names no statuses. */
export const readEventDocumentation = (page: string): EventDocumentation => {
  const example = z
    .record(z.string(), z.unknown())
    .parse(JSON.parse(/```json\n(.*?)```/s.exec(page)?.[1] ?? 'null'));
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  const named = rows.flatMap((row) => codeIn(row.split('|')[1] ?? ''));
  const statuses = codeIn(rows.find((row) => row.startsWith('| `data.status`'))?.split('|')[2] ?? '');
  if (statuses.length === 0) throw new Error('docs/events.md names no statuses in the row of data.status');
  const attributes = [...Object.keys(example), ...named.filter((name) => /^[a-z]+$/.test(name))];
  return { example, attributes: new Set(attributes), statuses: new Set(statuses) };
};

const codeIn = (cell: string): string[] => Array.from(cell.matchAll(/`([^`]+)`/g), ([, code = '']) => code);

const Address = z.strictObject({
  address: z.ipv4(),
  port: z.int(),
  scope: z.enum(['internal', 'external']),
});
const StatusData = z.strictObject({
  id: z.string().min(1),
  status: z.string(),
  message: z.string(),
  output_spec: z.strictObject({ ip: z.array(Address).min(1) }).optional(),
});
type StatusData = z.infer<typeof StatusData>;

/** Everything in which published messages, in the order of the stream, differ from the page; a sentence each. */
export const deviationsFromDocumentation = (
  published: readonly Received[],
  documentation: EventDocumentation,
  provider: string,
): string[] => {
  const newest = new Map<string, string>();
  const ids = new Set<string>();
  return published.flatMap((message) => {
    const event = eventOf(message.payload) ?? {};
    const { success, data } = StatusData.safeParse(event.data);
    const complaints = [
      dropReason(message),
      ...ofEnvelope(event, message, documentation, provider),
      ...(success
        ? ofData(data, documentation)
        : ['data is not id, status, message and output_spec as documented']),
      ids.has(String(event.id)) ? 'its id was published before' : undefined,
      success ? outOfOrder(newest, data.id, event.sequence) : undefined,
    ];
    ids.add(String(event.id));
    return complaints.filter((one) => one !== undefined).map((one) => `${one}: ${message.payload}`);
  });
};

const ofEnvelope = (
  event: Readonly<Record<string, unknown>>,
  { subject, headers }: Received,
  { example, attributes }: EventDocumentation,
  provider: string,
): string[] => {
  const { data } = StatusData.safeParse(event.data);
  const isRefusedCreate = data?.status === 'FAILED' && !('instanceid' in event);
  const missing = Object.keys(example).filter(
    (name) => !(name in event) && !(isRefusedCreate && name === 'instanceid'),
  );
  const unknown = Object.keys(event).filter((name) => !attributes.has(name));
  const expected: Record<string, unknown> = { ...example, source: `dcm/providers/${provider}` };
  const same = ['specversion', 'source', 'type', 'subject', 'datacontenttype'];
  const different = same.filter((name) => event[name] !== expected[name]);
  return [
    ...missing.map((name) => `it has no ${name}`),
    ...unknown.map((name) => `docs/events.md does not document ${name}`),
    ...different.map((name) => `${name} is ${event[name]}, not ${expected[name]}`),
    ...(subject === event.subject ? [] : [`it came on ${subject}`]),
    ...(headers['nats-msg-id'] === event.id ? [] : [`Nats-Msg-Id is ${headers['nats-msg-id']}, not its id`]),
    ...(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(String(event.time))
      ? []
      : ['time is not to the second, in UTC']),
    ...(event.partitionkey === (isRefusedCreate ? data.id : event.instanceid)
      ? []
      : ['partitionkey is not the instance']),
  ];
};

const ofData = (data: StatusData, { statuses }: EventDocumentation): string[] => {
  const hasOutputs = data.output_spec !== undefined;
  const mustHaveOutputs = ['RUNNING', 'STOPPED'].includes(data.status);
  return [
    ...(statuses.has(data.status) ? [] : [`docs/events.md does not document the status ${data.status}`]),
    ...(Buffer.byteLength(data.message) > longestMessageBytes ? ['data.message is longer than 1 KiB'] : []),
    ...(hasOutputs === mustHaveOutputs
      ? []
      : [`${data.status} comes ${hasOutputs ? 'with' : 'without'} output_spec`]),
  ];
};

const outOfOrder = (newest: Map<string, string>, dcmId: string, sequence: unknown): string | undefined => {
  if (typeof sequence !== 'string') return 'sequence is not a string';
  const before = newest.get(dcmId);
  newest.set(dcmId, sequence);
  return before !== undefined && sequence <= before
    ? `its sequence is not greater than ${before}, the one before`
    : undefined;
};
