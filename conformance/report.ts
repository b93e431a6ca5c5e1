import Table from 'cli-table3';
import type picocolors from 'picocolors';
import { describeCheck } from './check.ts';
import type { Result } from './run.ts';

type Colours = Pick<typeof picocolors, 'green' | 'red' | 'yellow'>;

const widths = [7, 11, 60, 60];

/** A table for the terminal: each check with its result and the reason. */
export const table = (results: readonly Result[], colours: Colours): string => {
  const paint = { pass: colours.green, fail: colours.red, skip: colours.yellow, deviation: colours.yellow };
  const rows = new Table({
    head: ['check', '', 'a provider …', 'reason'],
    colWidths: widths,
    wordWrap: true,
    style: { head: [], border: [] },
  });
  for (const result of results) {
    const reason = result.verdict === 'pass' ? '' : result.reason;
    rows.push([result.id, paint[result.verdict](result.verdict), describeCheck(result), reason]);
  }
  return rows.toString();
};

/** One line that summarises a run. `planned` is the number of selected checks; fewer results mean that the run ended early. */
export const summary = (results: readonly Result[], planned: number): string => {
  const count = (verdict: Result['verdict']) => results.filter((result) => result.verdict === verdict).length;
  const notMade = planned - results.length;
  const deviations = count('deviation');
  const counts = `${count('pass')} passed, ${count('fail')} failed, ${count('skip')} skipped${
    deviations > 0 ? `, ${deviations} deviate on purpose` : ''
  }`;
  return notMade > 0 ? `${counts}, ${notMade} not made` : counts;
};
