import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../../', import.meta.url);

/** The rows of the tables: number, defect or whatever else it is, test file, test. */
const rows = readFileSync(new URL('docs/defects.md', root), 'utf8')
  .split('\n')
  .filter((line) => /^\| (C2? \d|D\d|F \d|X \d|Y \d|Z \d)/.test(line))
  .map((line) => {
    const [number = '', defect = '', file = '', title = ''] = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    return { number, defect, file, title };
  });

/** Whether a test is called so in the file, by itself or with the values of a table in it. */
const hasTest = (source: string, title: string): boolean =>
  ["'", '`', '"'].some((quote) => source.includes(`(${quote}${title}${quote}`)) ||
  source.split('\n').some((line) => line.trim() === `'${title}',`);

describe('docs/defects.md', () => {
  it('tells of each defect what it is', () => {
    const first = rows.filter(
      ({ number }, index) => rows.findIndex((row) => row.number === number) === index,
    );

    expect(first.filter(({ defect }) => defect === '')).toEqual([]);
    expect(rows.length).toBeGreaterThan(100);
  });

  it.each(rows)('names a test for $number that is there: $title', ({ file, title }) => {
    const place = new URL(file, root);

    expect(existsSync(place), `there is no ${file}`).toBe(true);
    expect(hasTest(readFileSync(place, 'utf8'), title), `${file} has no test of this name`).toBe(true);
  });
});
