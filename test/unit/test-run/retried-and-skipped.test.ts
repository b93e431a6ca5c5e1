import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { verdictOn } from '../../retried-and-skipped.ts';

const ran = (name: string) => ({ name, firstFailure: undefined, skipped: undefined });
const retried = (name: string) => ({ ...ran(name), firstFailure: 'expected 1 to be 0' });
const skipped = (name: string, reason: object) => ({ ...ran(name), skipped: reason });
const here = { isCi: false };
const inCi = { isCi: true };

describe('the last lines of a test run', () => {
  it('say nothing where every test ran once', () => {
    expect(verdictOn([ran('a'), ran('b')], inCi)).toEqual({ lines: [], isFailed: false });
  });

  it('name the tests that needed a second attempt, and let three of them pass', () => {
    expect(verdictOn([ran('a'), ...['b', 'c', 'd'].map(retried)], here)).toEqual({
      lines: ['b', 'c', 'd'].map((name) => `Needed a second attempt: ${name}: expected 1 to be 0`),
      isFailed: false,
    });
  });

  it('fail the run where more than three tests needed a second attempt', () => {
    const { lines, isFailed } = verdictOn(['a', 'b', 'c', 'd'].map(retried), here);

    expect(isFailed).toBe(true);
    expect(lines.at(-1)).toBe('Failed: 4 tests needed a second attempt, and at most 3 may');
  });

  it('say once why tests were skipped, and how many', () => {
    const because = { because: 'there is no Go', alsoInCi: false };

    expect(verdictOn([skipped('a', because), skipped('b', because)], here)).toEqual({
      lines: ['Skipped 2 tests: there is no Go'],
      isFailed: false,
    });
  });

  it('fail a run in CI where a test was skipped that CI can run', () => {
    const tests = [
      skipped('a', { because: 'there is no Go', alsoInCi: false }),
      skipped('b', { because: 'there is no agent', alsoInCi: true }),
    ];

    expect(verdictOn(tests, inCi)).toEqual({
      lines: [
        'Skipped 1 test: there is no Go',
        'Skipped 1 test: there is no agent',
        'Failed: skipped, although CI can run it: a',
      ],
      isFailed: true,
    });
  });

  it('fail the run where a test was skipped without a reason', () => {
    expect(verdictOn([skipped('a', {})], here)).toEqual({
      lines: [
        'Skipped 1 test: no reason is given',
        'Failed: skipped without a reason (see skippedBecause): a',
      ],
      isFailed: true,
    });
  });
});

describe('a run of Vitest', () => {
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const cache = join(root, '.cache'); // inside the repository, so that Vitest is found
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'test-run-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  const write = (name: string, ...lines: string[]) => writeFileSync(join(folder, name), lines.join('\n'));
  const run = (options: readonly string[] = []) => {
    const vitest = join(root, 'node_modules/vitest/vitest.mjs');
    const { CI: _, ...env } = process.env;
    const { status, stdout } = spawnSync(process.execPath, [vitest, 'run', ...options], {
      ...{ cwd: folder, env: { ...env, NO_COLOR: '1' }, encoding: 'utf8' },
    });
    return { status, lastLines: stdout.trimEnd().split('\n\n').at(-1)?.trim().split('\n') };
  };

  it('ends with those lines, and with exit code 1 where they fail it', () => {
    write(
      'vitest.config.ts',
      "import { retriedAndSkipped } from '../../test/retried-and-skipped.ts';",
      'export default { test: { globals: true, retry: 1, reporters: ["default", retriedAndSkipped()] } };',
    );
    write(
      'some.test.ts',
      "import { skippedBecause } from '../../test/retried-and-skipped.ts';",
      'let attempts = 0;',
      'it.each([1, 2, 3])("fails at first: %i", () => { attempts += 1; expect(attempts % 2).toBe(0); });',
      'describe("elsewhere", skippedBecause("there is no Go"), () => { it("runs", () => {}); });',
    );

    const withThree = run();
    write(
      'other.test.ts',
      'let attempts = 0;',
      'it("fails, too", () => { attempts += 1; expect(attempts).toBe(2); });',
    );
    const withFour = run();

    const three = [1, 2, 3].map(
      (n) =>
        `Needed a second attempt: some.test.ts: fails at first: ${n}: expected 1 to be +0 // Object.is equality (some.test.ts:3)`,
    );
    expect(withThree).toEqual({ status: 0, lastLines: ['Skipped 1 test: there is no Go', ...three] });
    expect(withFour.status).toBe(1);
    expect(withFour.lastLines).toContain(
      'Needed a second attempt: other.test.ts: fails, too: expected 1 to be 2 // Object.is equality (other.test.ts:2)',
    );
    expect(withFour.lastLines?.at(-1)).toBe('Failed: 4 tests needed a second attempt, and at most 3 may');
  });
});
