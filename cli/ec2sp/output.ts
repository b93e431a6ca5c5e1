import * as z from 'zod/mini';

/** The forms in which a command prints data. */
export const formats = ['table', 'json', 'yaml'] as const;
export type Format = (typeof formats)[number];

/** A resource as an API answered it. */
export const Fields = z.record(z.string(), z.unknown());
export type Fields = z.infer<typeof Fields>;

/** A column: its heading, and the text of a row in it. */
export type Column<Row> = readonly [heading: string, text: (row: Row) => unknown];

/** Changes the appearance of a cell that is padded already. */
type Paint = (text: string, heading: string) => string;

/**
 * A table with two blanks between its columns, as Go's `tabwriter` with a padding of 2 lays it out: each cell but the last of a line is padded
 * to the widest of its column, counted in code points. Control characters, which could change the terminal, become blanks.
 */
export const table = <Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  paint: Paint = (text) => text,
): string => {
  const headings = columns.map(([heading]) => heading);
  const lines = [headings, ...rows.map((row) => columns.map(([, text]) => cell(text(row))))];
  const widths = headings.map((_, index) => Math.max(...lines.map((line) => widthOf(line[index] ?? ''))));
  const last = headings.length - 1;
  return lines
    .map((line, number) =>
      line
        .map((text, index) => {
          const padding = index === last ? '' : ' '.repeat((widths[index] ?? 0) - widthOf(text) + 2);
          return (number === 0 ? text : paint(text, headings[index] ?? '')) + padding;
        })
        .join(''),
    )
    .map((line) => `${line}\n`)
    .join('');
};

const widthOf = (text: string): number => [...text].length;

const controls = /\p{Cc}/gu;

/** A value as text without control characters; empty where there is none. */
export const cell = (value: unknown): string => {
  if (value === undefined || value === null) return '';
  return (typeof value === 'object' ? JSON.stringify(value) : String(value)).replace(controls, ' ');
};

/**
 * JSON as Go's encoder writes it, with an indentation of two blanks: the keys of maps sorted, `<`, `>` and `&` escaped. `ordered` has the keys
 * that come first, in their order, as those of a struct.
 */
const json = (value: unknown, ordered: readonly string[] = []): string =>
  `${jsonText(sorted(value, ordered)).replace(/[<>&\u2028\u2029]/g, escaped)}\n`;

const escaped = (character: string): string =>
  `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;

/** With objects as Maps, because an object has keys such as `10` before all others. */
const sorted = (value: unknown, first: readonly string[] = []): unknown => {
  if (Array.isArray(value)) return value.map((one) => sorted(one));
  if (typeof value !== 'object' || value === null) return value;
  const rank = (key: string) => (first.includes(key) ? first.indexOf(key) : first.length);
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  entries.sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return new Map(entries.map(([key, one]) => [key, sorted(one)]));
};

const jsonText = (value: unknown, indentation = ''): string => {
  const inner = `${indentation}  `;
  const block = (open: string, lines: readonly string[], close: string) =>
    lines.length === 0
      ? open + close
      : `${open}\n${lines.map((line) => inner + line).join(',\n')}\n${indentation}${close}`;
  if (Array.isArray(value))
    return block(
      '[',
      value.map((one) => jsonText(one, inner)),
      ']',
    );
  if (value instanceof Map)
    return block(
      '{',
      [...value].map(([key, one]) => `${JSON.stringify(key)}: ${jsonText(one, inner)}`),
      '}',
    );
  return JSON.stringify(value);
};

/** YAML as Go's `yaml.v3` writes it: an indentation of four, sorted keys, no folded lines. `ordered` as of `json`. */
export const yaml = async (value: unknown, ordered: readonly string[] = []): Promise<string> => {
  const { stringify } = await import('yaml');
  const layout = { indent: 4, lineWidth: 0, version: '1.1', blockQuote: 'literal' } as const;
  return stringify(asObjects(sorted(value, ordered)), layout);
};

/** YAML of version 1.1 would write a Map as an ordered map, which is another type. */
const asObjects = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(asObjects);
  if (!(value instanceof Map)) return value;
  return Object.fromEntries([...value].map(([key, one]) => [key, asObjects(one)]));
};

/** JSON or YAML. */
export const document = async (
  format: Exclude<Format, 'table'>,
  value: unknown,
  ordered: readonly string[] = [],
): Promise<string> => (format === 'json' ? json(value, ordered) : yaml(value, ordered));
