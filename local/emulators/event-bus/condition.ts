import * as z from 'zod';

const Scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
export type Scalar = z.infer<typeof Scalar>;

type Test = (value: Scalar) => boolean;

const text =
  (test: (value: string) => boolean): Test =>
  (value) =>
    typeof value === 'string' && test(value);

const exact = Scalar.transform(
  (wanted): Test =>
    (value) =>
      value === wanted,
);

const equalsIgnoreCase = z
  .string()
  .transform((wanted) => text((value) => value.toLowerCase() === wanted.toLowerCase()));

/** How a string starts or ends, as it is or in any case. */
const edge = (has: (value: string, wanted: string) => boolean) =>
  z.union([
    z.string().transform((wanted) => text((value) => has(value, wanted))),
    z
      .strictObject({ 'equals-ignore-case': z.string() })
      .transform(({ 'equals-ignore-case': wanted }) =>
        text((value) => has(value.toLowerCase(), wanted.toLowerCase())),
      ),
  ]);
const prefix = edge((value, wanted) => value.startsWith(wanted));
const suffix = edge((value, wanted) => value.endsWith(wanted));

/** `*` stands for any run of characters, `\*` and `\\` for themselves; EventBridge refuses `**` and other escapes. */
const wildcard = z
  .string()
  .regex(/^(?:[^\\*]|\\[\\*]|\*(?!\*))*$/)
  .transform((pattern) => {
    const parts = Array.from(pattern.matchAll(/\\?./gs), ([part]) => (part === '*' ? '.*' : literally(part)));
    const expression = new RegExp(`^${parts.join('')}$`, 's');
    return text((value) => expression.test(value));
  });
const literally = (part: string) => part.slice(-1).replace(/\W/, '\\$&');

const comparisons = {
  '=': (value: number, bound: number) => value === bound,
  '<': (value: number, bound: number) => value < bound,
  '<=': (value: number, bound: number) => value <= bound,
  '>': (value: number, bound: number) => value > bound,
  '>=': (value: number, bound: number) => value >= bound,
} as const;

const numeric = z
  .union([
    z.tuple([z.enum(['=', '<', '<=', '>', '>=']), z.number()]),
    z.tuple([z.enum(['>', '>=']), z.number(), z.enum(['<', '<=']), z.number()]),
  ])
  .transform(([is, bound, and = is, other = bound]): Test => {
    const within = (value: number) => comparisons[is](value, bound) && comparisons[and](value, other);
    return (value) => typeof value === 'number' && within(value);
  });

/** Passes where one of several does; a pattern gives one or a list of them. */
const anyOf = (test: z.ZodType<Test>) =>
  z.union([test.transform((only) => [only]), z.array(test).min(1)]).transform(
    (tests): Test =>
      (value) =>
        tests.some((passes) => passes(value)),
  );

const anythingBut = z
  .union([
    anyOf(exact),
    z.strictObject({ prefix: anyOf(prefix) }).transform((but) => but.prefix),
    z.strictObject({ suffix: anyOf(suffix) }).transform((but) => but.suffix),
    z.strictObject({ wildcard: anyOf(wildcard) }).transform((but) => but.wildcard),
    z
      .strictObject({ 'equals-ignore-case': anyOf(equalsIgnoreCase) })
      .transform((but) => but['equals-ignore-case']),
  ])
  .transform(
    (passes): Test =>
      (value) =>
        !passes(value),
  );

const ofOneValue = z
  .union([
    exact,
    z.strictObject({ prefix }).transform((operator) => operator.prefix),
    z.strictObject({ suffix }).transform((operator) => operator.suffix),
    z.strictObject({ wildcard }).transform((operator) => operator.wildcard),
    z.strictObject({ numeric }).transform((operator) => operator.numeric),
    z
      .strictObject({ 'equals-ignore-case': equalsIgnoreCase })
      .transform((operator) => operator['equals-ignore-case']),
    z.strictObject({ 'anything-but': anythingBut }).transform((operator) => operator['anything-but']),
  ])
  .transform(
    (passes): Condition =>
      (values) =>
        values.some(passes),
  );

const exists = z.strictObject({ exists: z.boolean() }).transform(
  (wanted): Condition =>
    (values) =>
      values.length > 0 === wanted.exists,
);

/** One alternative of a pattern's list: whether one of an event's values for that field passes. No values: the field is absent. */
export const Condition = z.union([ofOneValue, exists]);
export type Condition = (values: readonly Scalar[]) => boolean;
