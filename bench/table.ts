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

/** For a terminal: figure, value, what it must be, whether it is. */
export const textTable = (rows: readonly Row[]): string =>
  [
    ['figure', 'value', 'must be', ''],
    ...rows.map((row) => [row.name, number.format(row.value), boundOf(row), verdictOf(row)]),
  ]
    .map(([name = '', value = '', bound = '', verdict = '']) =>
      `${name.padEnd(34)}${value.padStart(10)}   ${bound.padEnd(10)}${verdict}`.trimEnd(),
    )
    .join('\n');

/** For the README: also what each figure is. */
export const markdownTable = (rows: readonly Row[]): string =>
  [
    '| figure | what it is | measured | must be |',
    '|---|---|---:|---|',
    ...rows.map((row) => `| \`${row.name}\` | ${row.what} | ${number.format(row.value)} | ${boundOf(row)} |`),
  ].join('\n');
