import * as z from 'zod';

const expressions = [
  'UpdateExpression',
  'ConditionExpression',
  'FilterExpression',
  'KeyConditionExpression',
  'ProjectionExpression',
] as const;
type Expression = (typeof expressions)[number];

const Text = z.string().optional();
const Expressions = z.object({
  UpdateExpression: Text,
  ConditionExpression: Text,
  FilterExpression: Text,
  KeyConditionExpression: Text,
  ProjectionExpression: Text,
  ExpressionAttributeNames: z.record(z.string(), z.string()).optional(),
  ExpressionAttributeValues: z.record(z.string(), z.unknown()).optional(),
});
type Expressions = z.infer<typeof Expressions>;

/** BatchGetItem has separate expressions for each table. */
const Request = Expressions.extend({ RequestItems: z.record(z.string(), z.unknown()).optional() });

const maximumExpressionBytes = 4096;
const maximumOperators = 300;
const maximumInOperands = 100;
const maximumPlaceholderBytes = 255;
const maximumSubstitutionBytes = 2 * 1024 * 1024;
const maximumNameBytes = 65_535;

/**
 * The message of DynamoDB's ValidationException for a request that exceeds a limit which dynalite does not check; undefined for other
 * requests. Requests that cannot be parsed are left to dynalite.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
 */
export const exceededLimit = (request: unknown): string | undefined => {
  const { data } = Request.safeParse(request);
  if (data === undefined) return undefined;
  const perTable = Object.values(data.RequestItems ?? {}).flatMap(
    (one) => Expressions.safeParse(one).data ?? [],
  );
  return firstOf([
    ...[data, ...perTable].map((one) => () => expressionFault(one)),
    () => (hasLongName(request) ? nameFault : undefined),
  ]);
};

const nameFault = '1 validation error detected: Attribute name is too large, must be less than 65536 bytes';

const expressionFault = (request: Expressions): string | undefined =>
  firstOf([
    () => substitutionFault('ExpressionAttributeNames', request.ExpressionAttributeNames),
    () => substitutionFault('ExpressionAttributeValues', request.ExpressionAttributeValues),
    ...expressions.map((name) => () => textFault(name, request[name] ?? '')),
  ]);

const substitutionFault = (what: string, substitutions: Readonly<Record<string, unknown>> = {}) => {
  const keys = Object.keys(substitutions);
  const bytes = keys.reduce((sum, key) => sum + Buffer.byteLength(key) + sizeOf(substitutions[key]), 0);
  if (bytes > maximumSubstitutionBytes) return `${what} exceeds max size`;
  const long = keys.find((key) => Buffer.byteLength(key) > maximumPlaceholderBytes);
  return long === undefined
    ? undefined
    : `${what} contains invalid key: The expression attribute map contains a key that is too long; size of key: ${Buffer.byteLength(long)}`;
};

const sizeOf = (value: unknown): number =>
  Buffer.byteLength(typeof value === 'string' ? value : JSON.stringify(value));

const textFault = (name: Expression, text: string): string | undefined => {
  const bytes = Buffer.byteLength(text);
  if (bytes > maximumExpressionBytes)
    return `Invalid ${name}: Expression size has exceeded the maximum allowed size; expression size: ${bytes}`;
  const operators = operatorsIn(name, text);
  if (operators > maximumOperators)
    return `Invalid ${name}: The expression contains too many operators; operator count: ${operators}`;
  const lists = [...text.matchAll(/\bIN\s*\(([^)]*)\)/gi)].map(([, list = '']) => list.split(',').length);
  const operands = Math.max(0, ...lists);
  return operands > maximumInOperands
    ? `Invalid ${name}: The IN operator is provided with too many operands; number of operands: ${operands}`
    : undefined;
};

/** Counts operators and functions. `=` is an assignment in an update and an operator elsewhere; BETWEEN … AND counts once. */
const operatorsIn = (name: Expression, text: string): number => {
  const count = (pattern: RegExp) => [...text.matchAll(pattern)].length;
  const functions = count(/(?<![#:\w.])[a-z_]+\s*\(/g);
  if (name === 'UpdateExpression') return functions + count(/[+-]/g);
  const words = count(/(?<![#:\w.])(AND|OR|NOT|IN)\b/gi); // the AND of a BETWEEN stands for it
  return functions + words + count(/<>|<=|>=|[=<>]/g);
};

/** Attribute names are keys of maps in items and values, and the values of placeholders. */
const hasLongName = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([key, inner]) =>
      Buffer.byteLength(key) > maximumNameBytes ||
      (key.startsWith('#') && typeof inner === 'string' && Buffer.byteLength(inner) > maximumNameBytes) ||
      hasLongName(inner),
  );
};

const firstOf = (checks: readonly (() => string | undefined)[]): string | undefined => {
  for (const check of checks) {
    const fault = check();
    if (fault !== undefined) return fault;
  }
  return undefined;
};
