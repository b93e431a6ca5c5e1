import Table from 'cli-table3';
import type picocolors from 'picocolors';
import type { Result } from './run.ts';

type Colours = Pick<typeof picocolors, 'green' | 'red' | 'yellow'>;

const widths = [7, 7, 62, 62];

/** A table for a terminal: each check with its outcome, and what was wrong. */
export const table = (results: readonly Result[], colours: Colours): string => {
  const paint = { pass: colours.green, fail: colours.red, skip: colours.yellow };
  const rows = new Table({
    head: ['check', '', 'a provider …', 'reason'],
    colWidths: widths,
    wordWrap: true,
    style: { head: [], border: [] },
  });
  for (const result of results) {
    const reason = result.verdict === 'pass' ? '' : result.reason;
    rows.push([result.id, paint[result.verdict](result.verdict), result.sentence, reason]);
  }
  return rows.toString();
};

/** One line that says how it went. */
export const summary = (results: readonly Result[]): string => {
  const count = (verdict: Result['verdict']) => results.filter((result) => result.verdict === verdict).length;
  return `${count('pass')} passed, ${count('fail')} failed, ${count('skip')} skipped`;
};
