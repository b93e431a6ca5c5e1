import * as z from 'zod';
import { Condition, type Scalar } from './condition.ts';

type Matcher = (value: unknown) => boolean;

/**
 * Reads an event pattern as EventBridge does, and gives the function that tells which events match it: exact values and
 * `prefix`, `suffix`, `equals-ignore-case`, `wildcard`, `anything-but`, `numeric`, `exists` in nested fields, and `$or`.
 * @throws ZodError where the pattern is none.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
export const eventPattern = (pattern: unknown): Matcher => Pattern.parse(pattern);

/** All fields must match, and one of the alternatives of `$or`. An event may have an array where the pattern has an object. */
const Pattern: z.ZodType<Matcher> = z.lazy(() =>
  z
    .object({ $or: z.array(Pattern).min(2).optional() })
    .catchall(z.union([Leaf, Pattern]))
    .transform(({ $or, ...fields }): Matcher => {
      const all = Object.entries(fields);
      const matches = (value: unknown) =>
        all.every(([name, matcher]) => matcher(fieldOf(value, name))) &&
        ($or === undefined || $or.some((alternative) => alternative(value)));
      return (value) => (Array.isArray(value) && value.length > 0 ? value.some(matches) : matches(value));
    }),
);

const Leaf = z
  .array(Condition)
  .min(1)
  .transform(
    (alternatives): Matcher =>
      (value) => {
        const values = scalarsOf(value);
        return alternatives.some((condition) => condition(values));
      },
  );

const Fields = z.record(z.string(), z.unknown());
const fieldOf = (value: unknown, name: string): unknown => Fields.safeParse(value).data?.[name];

/** What EventBridge compares: an array stands for each of its elements, an object is no value. */
const scalarsOf = (value: unknown): readonly Scalar[] => {
  if (Array.isArray(value)) return value.flatMap(scalarsOf);
  return isScalar(value) ? [value] : [];
};

const isScalar = (value: unknown): value is Scalar =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value);
