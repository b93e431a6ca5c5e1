import * as z from 'zod';
import type { Received } from './events.ts';

const Text = z.string();
const Envelope = z.looseObject({
  specversion: z.enum(['0.3', '1.0'], 'specversion must be 1.0'),
  source: Text.min(1, 'source must not be empty').optional(),
  time: z.union([z.literal(''), z.iso.datetime({ offset: true })], 'time must be RFC 3339').optional(),
  datacontenttype: Text.regex(/^(application|text)\/(json|[\w.-]+\+json)/, 'must be JSON').optional(),
  data: z.looseObject(
    {
      id: Text.min(1, 'data.id must not be empty'),
      status: Text.optional(),
      message: Text.optional(),
      output_spec: z.union([z.null(), z.looseObject({})], 'data.output_spec must be an object').optional(),
      timestamp: z.union([z.null(), z.iso.datetime({ offset: true })]).optional(),
    },
    'data must be an object',
  ),
});

const attributes = new Set([
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'data',
  'datacontenttype',
  'dataschema',
]);

/** Names and values of the extension attributes. */
export const extensionsOf = (event: object): [string, unknown][] =>
  Object.entries(event).filter(([name]) => !attributes.has(name));

/**
 * Why DCM's status consumer drops a message silently; undefined for a message that it applies.
 * @see https://github.com/dcm-project/control-plane (internal/sp/consumer/consumer.go)
 */
export const dropReason = ({
  subject,
  payload,
}: Pick<Received, 'subject' | 'payload'>): string | undefined => {
  if (subject.split('.').length !== 2) return `the subject ${subject} has not exactly two tokens`;
  const event = eventOf(payload);
  if (event === undefined) return 'it is not a JSON object: not a CloudEvent in structured mode';
  const parsed = Envelope.safeParse(event);
  if (!parsed.success) return z.prettifyError(parsed.error).replaceAll('\n', ' ');
  const bad = extensionsOf(event).find(
    ([name, value]) => !/^[A-Za-z0-9]+$/.test(name) || typeof value === 'object',
  );
  return bad && `the extension ${bad[0]} is not letters and digits with a plain value`;
};

/** The message as a JSON object; undefined where it is none. */
export const eventOf = (payload: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    return z.record(z.string(), z.unknown()).safeParse(JSON.parse(payload)).data;
  } catch {
    return undefined;
  }
};
