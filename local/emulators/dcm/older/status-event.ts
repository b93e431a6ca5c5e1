import * as z from 'zod';
import { reasonOf, UnreadableError } from '../../../../shared/core/errors.ts';
import { jsonDataOf, readCloudEvent, Text, Timestamp } from './cloud-event.ts';

/** What DCM's consumer takes from a status event; type, source, subject and the NATS subject it does not look at. */
export type StatusEvent = {
  /** The row that it is about: DCM's instance id. */
  readonly id: string;
  /** Lower case, trimmed; any word, also none. */
  readonly status: string;
  readonly message: string;
  readonly eventId: string;
  /** The CloudEvents extension of that name, where the provider sends it. DCM does not order by it. */
  readonly sequence?: string | undefined;
  /** `output_spec` as sent, of any type; undefined where there is none. The older control plane does not read it. */
  readonly outputSpec?: unknown;
};

/** Go's JSON decoder takes `Id` for `id`. */
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
