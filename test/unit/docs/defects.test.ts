import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../../', import.meta.url);

/** The rows of the tables: number, defect (or property, or decision), test file, title of the test. */
const rows = readFileSync(new URL('docs/defects.md', root), 'utf8')
  .split('\n')
  .filter((line) => /^\| (B3 \d|C2? \d|CC \d|D\d|F \d|L \d|X \d|Y \d|Z \d)/.test(line))
  .map((line) => {
    const [number = '', defect = '', file = '', title = ''] = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    return { number, defect, file, title };
  });

/** Whether the source has a test or a case with this title. */
const hasTest = (source: string, title: string): boolean =>
  ["'", '`', '"'].some((quote) => source.includes(`(${quote}${title}${quote}`)) ||
  source.split('\n').some((line) => line.trim() === `'${title}',`);

describe('docs/defects.md', () => {
  it('describes every defect', () => {
    const first = rows.filter(
      ({ number }, index) => rows.findIndex((row) => row.number === number) === index,
    );

    expect(first.filter(({ defect }) => defect === '')).toEqual([]);
    expect(rows.length).toBeGreaterThan(100);
  });

  it('has no row twice', () => {
    const keys = rows.map(({ number, file, title }) => `${number} | ${file} | ${title}`);

    expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
  });

  it.each(rows)('names an existing test for $number: $title', ({ file, title }) => {
    const place = new URL(file, root);

    expect(existsSync(place), `${file} does not exist`).toBe(true);
    expect(hasTest(readFileSync(place, 'utf8'), title), `${file} has no test with this title`).toBe(true);
  });
});
