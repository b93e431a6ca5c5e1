import * as z from 'zod/mini';

const envelope = {
  specversion: z.literal('1.0'),
  id: z.string().check(z.minLength(1)),
  source: z.string().check(z.minLength(1)),
  type: z.string().check(z.minLength(1)),
  /** Also the NATS subject. DCM's streams take exactly two tokens, the first of them `dcm`. */
  subject: z.string().check(z.regex(/^dcm\.[a-z0-9-]+$/, 'expected a NATS subject such as dcm.vm')),
  /**
   * Events with the same key are published one after the other.
   * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/partitioning.md
   */
  partitionkey: z.optional(z.string().check(z.minLength(1))),
};

/**
 * A CloudEvent in the JSON event format, as far as publishing it needs to be known; everything else rides along untouched.
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 */
export const CloudEventJson = z.looseObject(envelope);
export type CloudEventJson = z.infer<typeof CloudEventJson>;

const Envelope = z.object(envelope);

/** The same as CloudEventJson's parse would tell, without its copy of the event: for events that only pass through. */
export const isCloudEventJson = (candidate: unknown): candidate is CloudEventJson =>
  Envelope.safeParse(candidate).success;
