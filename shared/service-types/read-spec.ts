import * as z from 'zod/mini';
import { InvalidArgumentError } from '../core/errors.ts';

type Fields = Readonly<Record<string, unknown>>;
type Path = readonly (string | number)[];

/** What is wrong with a field of a request. */
type Violation = { readonly path: string; readonly message: string };

type HintsOf<Hints> = (spec: Fields) => {
  readonly hints: Hints;
  readonly violations: readonly Violation[];
};

type Definition<Schema extends z.ZodMiniObject, Hints> = {
  /** The fields that the service type reads; unknown ones are ignored, since they are meant for other providers. */
  readonly schema: Schema;
  readonly hintsOf: HintsOf<Hints>;
  /** What is described, such as `a VM`, and its `service_type`, for errors. */
  readonly noun: string;
  readonly serviceType: string;
  /** Where an empty string is a value, besides the labels. */
  readonly isEmptyStringKept?: (path: Path) => boolean;
};

/**
 * Reads a service type's spec from a request's body: in a field `spec`, as the older control plane sends it, or as the whole body, as the
 * environment agent does.
 * @returns a function that throws InvalidArgumentError, which names the first ten invalid fields and what was expected of each.
 */
export const specReader = <Schema extends z.ZodMiniObject, Hints>({
  schema,
  hintsOf,
  noun,
  serviceType,
  isEmptyStringKept = () => false,
}: Definition<Schema, Hints>) => {
  const withoutAbsent = presentIn(isEmptyStringKept);

  /** Otherwise any JSON object would create a resource of defaults. */
  const hasKnownField = (spec: Fields): boolean =>
    Object.keys(spec).some((key) => Object.hasOwn(schema.shape, key) || key === 'provider_hints');

  return (body: unknown): { readonly fields: z.infer<Schema>; readonly hints: Hints } => {
    const given = unwrapped(body);
    const unstorable = unstorableIn(given);
    if (unstorable.length > 0) throw new InvalidArgumentError(inWords(unstorable));
    const spec = withoutAbsent(given);
    if (!isFields(spec) || !hasKnownField(spec)) {
      throw new InvalidArgumentError(
        `spec: expected ${noun} spec: {"spec":{"service_type":"${serviceType}",…}}, or {"service_type":"${serviceType}",…}`,
      );
    }
    const read = schema.safeParse(spec);
    const { hints, violations } = hintsOf(spec);
    const all = [...(read.success ? [] : read.error.issues.map(violationOf)), ...violations];
    if (!read.success || all.length > 0) throw new InvalidArgumentError(inWords(all));
    return { fields: read.data, hints };
  };
};

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const unwrapped = (body: unknown): unknown => (isFields(body) && 'spec' in body ? body.spec : body);

/**
 * Every field, at any depth, that could not be stored: with an unpaired surrogate in its name or value, which JSON can escape and UTF-8
 * cannot encode; and a label named `__proto__`, which objects drop. Without recursion, since a body can be nested deeper than the call stack.
 * @see https://www.rfc-editor.org/rfc/rfc8259#section-8.2
 */
const unstorableIn = (given: unknown): Violation[] => {
  const fields: Field[] = [{ name: '', value: given, path: '' }];
  for (const { value, path } of fields) {
    if (typeof value !== 'object' || value === null) continue;
    for (const [name, below] of Object.entries(value))
      fields.push({ name, value: below, path: pathBelow(path, Array.isArray(value) ? Number(name) : name) });
  }
  return fields.flatMap((field) => {
    const message = faultOf(field);
    return message === undefined ? [] : [{ path: field.path, message }];
  });
};

type Field = { readonly name: string; readonly value: unknown; readonly path: string };

const faultOf = ({ name, value, path }: Field): string | undefined => {
  if (![name, value].every(isEncodable)) return 'expected text without an unpaired surrogate';
  return path === 'metadata.labels.__proto__'
    ? 'expected another name: this one cannot be stored'
    : undefined;
};

const isEncodable = (value: unknown): boolean => typeof value !== 'string' || value.isWellFormed();

const pathBelow = (above: string, key: PropertyKey): string =>
  typeof key === 'number' ? `${above}[${key}]` : [above, String(key)].filter(Boolean).join('.');

const violationOf = (issue: z.core.$ZodIssue): Violation => ({
  path: issue.path.reduce<string>(pathBelow, ''),
  message: (issue.code === 'invalid_key' && issue.issues[0]?.message) || issue.message,
});

const maximumListed = 10;
const longestPath = 120;

const inWords = (violations: readonly Violation[]): string => {
  const listed = violations
    .slice(0, maximumListed)
    .map(({ path, message }) => `${path.slice(0, longestPath).toWellFormed()}: ${message}`);
  const more = violations.length - listed.length;
  return [...listed, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
};

/** No field of the spec lies deeper. Limits the recursion, since a body can have any depth. */
const deepest = 16;

/**
 * Removes absent fields. DCM fills in fields that its user left out, so null, "", 0, {} and [] count as absent at any depth, but for the
 * places where an empty string is a value. Absent members of an array stay as undefined, so that errors name the others by their place in
 * the request.
 */
const presentIn = (isEmptyStringKept: (path: Path) => boolean) => {
  const present = (value: unknown, path: Path = []): unknown => {
    if (path.length > deepest) return value;
    if (Array.isArray(value)) return presentMembers(value, path);
    if (typeof value === 'object' && value !== null) return presentFields(value, path);
    return isAbsent(value, path) ? undefined : value;
  };

  const isAbsent = (value: unknown, path: Path): boolean =>
    value === null || value === 0 || (value === '' && !isLabel(path) && !isEmptyStringKept(path));

  const presentMembers = (members: readonly unknown[], path: Path): unknown => {
    const kept = members.map((member, index) => present(member, [...path, index]));
    return kept.every((member) => member === undefined) ? undefined : kept;
  };

  const presentFields = (fields: object, path: Path): unknown => {
    const kept = Object.entries(fields).flatMap(([key, value]) => {
      const one = present(value, [...path, key]);
      return one === undefined ? [] : [[key, one] as const];
    });
    return kept.length > 0 ? Object.fromEntries(kept) : undefined;
  };

  return present;
};

/** Tags can be empty. */
const isLabel = ([section, field, ...below]: Path): boolean =>
  section === 'metadata' && field === 'labels' && below.length === 1;

const hintsPath = 'provider_hints.aws';

const camelCase = (name: string): string =>
  name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

/**
 * Makes a function that reads the hints of `provider_hints.aws`, in snake case or camel case, from a spec without absent fields. Every field
 * of `schema` is optional. Unknown hints are violations, and so are known ones elsewhere: they would be ignored without an error.
 */
export const hintsReader = <Schema extends z.ZodMiniObject>(schema: Schema): HintsOf<z.infer<Schema>> => {
  const known = Object.entries(schema.shape).map(([name, field]) => ({ name, field }));
  const spellings = new Map(
    known.flatMap((hint) => [[hint.name, hint] as const, [camelCase(hint.name), hint] as const]),
  );

  const hintsOf: HintsOf<z.infer<Schema>> = (spec) => {
    const none = schema.parse({});
    const providers = fieldsOf(spec.provider_hints);
    const stray = [
      ...misplaced(spec, ''),
      ...('aws' in spec ? [{ path: 'aws', message: `belongs to ${hintsPath}` }] : []),
      ...misplaced(providers ?? {}, 'provider_hints.'),
    ];
    if (spec.provider_hints !== undefined && providers === undefined)
      return {
        hints: none,
        violations: [...stray, { path: 'provider_hints', message: 'expected an object' }],
      };
    const aws = providers?.aws;
    if (aws === undefined) return { hints: none, violations: stray };
    const given = fieldsOf(aws);
    if (given === undefined)
      return { hints: none, violations: [...stray, { path: hintsPath, message: 'expected an object' }] };
    const { valid, violations } = readEach(given);
    return { hints: schema.parse(valid), violations: [...stray, ...violations] };
  };

  /** Known hints in a place where hints are not read. */
  const misplaced = (fields: Fields, level: string): Violation[] =>
    Object.keys(fields).flatMap((key) => {
      const hint = spellings.get(key);
      return hint === undefined
        ? []
        : [{ path: `${level}${key}`, message: `belongs to ${hintsPath}.${hint.name}` }];
    });

  const readEach = (given: Fields) => {
    const valid: Record<string, unknown> = {};
    const violations: Violation[] = [];
    for (const [key, value] of Object.entries(given)) {
      const message = readOne(valid, key, value);
      if (message !== undefined) violations.push({ path: `${hintsPath}.${key}`, message });
    }
    return { valid, violations };
  };

  /** Adds a hint to `valid`, or returns what is wrong with it. */
  const readOne = (valid: Record<string, unknown>, key: string, value: unknown): string | undefined => {
    const hint = spellings.get(key);
    if (hint === undefined) return `unknown; expected one of ${known.map(({ name }) => name).join(', ')}`;
    const { name, field } = hint;
    const read = z.safeParse(field, value);
    if (!read.success) return read.error.issues[0]?.message ?? 'invalid';
    const differs = name in valid && JSON.stringify(valid[name]) !== JSON.stringify(read.data);
    if (differs) return `differs from ${hintsPath}.${name === key ? camelCase(name) : name}`;
    valid[name] = read.data;
    return undefined;
  };

  return hintsOf;
};

const fieldsOf = (value: unknown): Fields | undefined => (isFields(value) ? { ...value } : undefined);
