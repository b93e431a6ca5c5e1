import * as z from 'zod';

type Matcher = (value: unknown) => boolean;

/**
 * Compiles an event pattern of EventBridge into a function that tells whether an event matches. Supports lists of exact values and of
 * `prefix` in nested fields, which is all that our rules use; other operators are refused.
 * @throws ZodError for an invalid pattern.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
 */
export const eventPattern = (pattern: unknown): Matcher => Pattern.parse(pattern);

const Equals = z.union([z.string(), z.number(), z.boolean(), z.null()]).transform(
  (wanted): Matcher =>
    (value) =>
      value === wanted,
);

/** @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html */
const Prefix = z.strictObject({ prefix: z.string() }).transform(
  ({ prefix }): Matcher =>
    (value) =>
      typeof value === 'string' && value.startsWith(prefix),
);

/** One of an event's values must match one item of the list. */
const Values = z
  .array(z.union([Equals, Prefix]))
  .min(1)
  .transform((items): Matcher => {
    const matches = (value: unknown): boolean =>
      Array.isArray(value) ? value.some(matches) : items.some((item) => item(value));
    return matches;
  });

/** All fields must match. An event may have an array where the pattern has an object. */
const Pattern: z.ZodType<Matcher> = z.lazy(() =>
  z.record(z.string(), z.union([Values, Pattern])).transform((fields): Matcher => {
    const all = Object.entries(fields);
    const matches = (value: unknown) => all.every(([name, matcher]) => matcher(fieldOf(value, name)));
    return (value) => (Array.isArray(value) && value.length > 0 ? value.some(matches) : matches(value));
  }),
);

const Fields = z.record(z.string(), z.unknown());
const fieldOf = (value: unknown, name: string): unknown => Fields.safeParse(value).data?.[name];
