import * as z from 'zod/mini';
import { table } from './markdown-table.ts';

/** What we read of a JSON Schema. */
export type Schema = {
  readonly $ref?: string | undefined;
  readonly type?: string | undefined;
  readonly description?: string | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly const?: unknown;
  readonly format?: string | undefined;
  readonly items?: Schema | undefined;
  readonly properties?: Readonly<Record<string, Schema>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly writeOnly?: boolean | undefined;
  readonly pattern?: string | undefined;
  readonly default?: unknown;
  readonly examples?: readonly unknown[] | undefined;
};

export const Schema: z.ZodMiniType<Schema> = z.looseObject({
  $ref: z.optional(z.string()),
  type: z.optional(z.string()),
  description: z.optional(z.string()),
  enum: z.optional(z.array(z.unknown())),
  const: z.optional(z.unknown()),
  format: z.optional(z.string()),
  items: z.optional(z.lazy(() => Schema)),
  properties: z.optional(z.lazy(() => z.record(z.string(), Schema))),
  required: z.optional(z.array(z.string())),
  minimum: z.optional(z.number()),
  maximum: z.optional(z.number()),
  writeOnly: z.optional(z.boolean()),
  pattern: z.optional(z.string()),
  default: z.optional(z.unknown()),
  examples: z.optional(z.array(z.unknown())),
});

/** A schema as a table of its fields, those within them included. */
export const schemaSection = (name: string, schema: Schema): string =>
  [
    `### ${name}`,
    schema.description ?? '',
    schema.properties
      ? table(['field', 'type', 'what it is'], fieldRows(schema))
      : `One of ${typeOf(schema)}.`,
  ].join('\n\n');

const fieldRows = ({ properties = {}, required = [] }: Schema, above = ''): string[][] =>
  Object.entries(properties).flatMap(([key, schema]) => {
    const inner = schema.properties ? schema : (schema.items ?? {});
    const path = `${above}${key}${schema.items ? '[]' : ''}`;
    const note = [
      ...(required.includes(key) ? [] : ['optional']),
      ...(schema.writeOnly ? ['never answered'] : []),
    ];
    const row = [`\`${path}\``, [typeOf(schema), ...note].join(', '), inWords(schema)];
    return [row, ...fieldRows(inner, `${path}.`)];
  });

const inWords = (schema: Schema): string => {
  const { description, default: usual, examples: [example] = [] } = schema;
  const pattern = schema.pattern ?? schema.items?.pattern;
  return [
    ...(description === undefined ? [] : [description]),
    ...(usual === undefined ? [] : [`Left out: ${code(usual)}.`]),
    ...(example === undefined ? [] : [`Such as ${code(example)}.`]),
    ...(pattern === undefined ? [] : [`Pattern: ${code(pattern)}.`]),
  ].join(' ');
};

const code = (value: unknown): string => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;

/** The type of a field in a few words. */
export const typeOf = ({
  $ref,
  const: only,
  enum: values,
  items,
  type,
  format,
  minimum,
  maximum,
}: Schema): string => {
  if ($ref !== undefined) return linked($ref.slice($ref.lastIndexOf('/') + 1));
  if (only !== undefined) return `\`${only}\``;
  if (values !== undefined) return values.map((value) => `\`${value}\``).join(', ');
  if (items !== undefined) return `list of ${typeOf(items)}`;
  const range = minimum !== undefined && maximum !== undefined ? ` ${minimum}–${maximum}` : '';
  return `${format ?? type ?? 'anything'}${range}`;
};

const linked = (name: string): string => `[${name}](#${name.toLowerCase()})`;
