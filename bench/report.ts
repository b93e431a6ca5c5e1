import { readFile, writeFile } from 'node:fs/promises';
import type { Row } from './figures.ts';

const number = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 });

const boundOf = ({ atLeast, atMost }: Row): string => {
  if (atLeast !== undefined && atLeast === atMost) return `= ${number.format(atLeast)}`;
  if (atLeast !== undefined) return `≥ ${number.format(atLeast)}`;
  if (atMost === 0) return '= 0';
  return atMost === undefined ? 'reported' : `≤ ${number.format(atMost)}`;
};

const verdictOf = (row: Row): string => {
  if (row.atLeast === undefined && row.atMost === undefined) return '';
  return row.met ? 'met' : 'MISSED';
};

/** For a terminal: each figure with its value, its bound and whether that is met. */
export const textTable = (rows: readonly Row[]): string =>
  [
    ['figure', 'value', 'must be', ''],
    ...rows.map((row) => [row.name, number.format(row.value), boundOf(row), verdictOf(row)]),
  ]
    .map(([name = '', value = '', bound = '', verdict = '']) =>
      `${name.padEnd(36)}${value.padStart(10)}   ${bound.padEnd(10)}${verdict}`.trimEnd(),
    )
    .join('\n');

/** For the README: also what each figure is. */
export const markdownTable = (rows: readonly Row[]): string =>
  [
    '| figure | what it is | measured | must be |',
    '|---|---|---:|---|',
    ...rows.map((row) => `| \`${row.name}\` | ${row.what} | ${number.format(row.value)} | ${boundOf(row)} |`),
  ].join('\n');

const begin = '<!-- bench:begin -->';
const end = '<!-- bench:end -->';

/** Replaces what is between the two marks of a Markdown file. @throws where the file does not have them. */
export const writeTable = async (file: URL, table: string): Promise<void> => {
  const text = await readFile(file, 'utf8');
  const [before, rest] = text.split(begin, 2);
  const [, after] = rest?.split(end, 2) ?? [];
  if (before === undefined || after === undefined)
    throw new Error(`${file.pathname} has no ${begin} and ${end}.`);
  await writeFile(file, `${before}${begin}\n${table}\n${end}${after}`);
};
