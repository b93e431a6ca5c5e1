import * as z from 'zod/mini';
import type { ServiceType } from '../core/kind.ts';

/** DCM's streams take exactly two tokens, the first of them `dcm`. */
const subjectPattern = /^dcm\.[a-z0-9-]+$/;

/** The NATS subject of the statuses of a service type, which is their CloudEvents subject too. */
export const statusSubject = (serviceType: ServiceType): string => `dcm.${serviceType}`;

/**
 * Not empty, and without half a surrogate pair: ids that differ only there would become one `Nats-Msg-Id`, and the second event would be
 * lost as a duplicate.
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#type-system
 */
const Text = z.string().check(
  z.minLength(1),
  z.refine((text) => text.isWellFormed(), { error: 'expected text without half a surrogate pair' }),
);

const envelope = {
  specversion: z.literal('1.0'),
  id: Text,
  source: Text,
  type: Text,
  /** Also the NATS subject. */
  subject: z.string().check(z.regex(subjectPattern, 'expected a NATS subject such as dcm.vm')),
  /**
   * Events with the same key are published one after the other.
   * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/partitioning.md
   */
  partitionkey: z.optional(Text),
};

/**
 * A CloudEvent in the JSON event format: the fields that publishing needs. All other fields are published unchanged.
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 */
export const CloudEventJson = z.looseObject(envelope);
export type CloudEventJson = z.infer<typeof CloudEventJson>;

/**
 * Whether CloudEventJson accepts the candidate. Written out by hand: parsing each event by the schema costs the nats-bridge four per cent
 * of its throughput.
 */
export const isCloudEventJson = (candidate: unknown): candidate is CloudEventJson => {
  if (typeof candidate !== 'object' || candidate === null) return false;
  const event: Partial<Record<keyof typeof envelope, unknown>> = candidate;
  return (
    event.specversion === '1.0' &&
    [event.id, event.source, event.type].every(isText) &&
    isText(event.subject) &&
    subjectPattern.test(event.subject) &&
    (event.partitionkey === undefined || isText(event.partitionkey))
  );
};

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.isWellFormed();
