import { basename } from 'node:path';
import type { Reporter, TestCase } from 'vitest/node';

/** More retried tests than this in one run are a fault of the tests or of the code, not of a busy machine. */
const mostRetried = 3;

type Skipped = { readonly because: string; readonly alsoInCi: boolean };

declare module 'vitest' {
  interface TaskMeta {
    skipped?: Skipped;
  }
}

/**
 * Options of `describe` or `it` for tests that this machine cannot run, for a reason that the last lines of the run print; none where the
 * reason is undefined. In CI (environment variable `CI`) the run fails, unless `alsoInCi` says that CI cannot run them either.
 */
export const skippedBecause = (because: string | undefined, { alsoInCi = false } = {}) =>
  because === undefined ? {} : { skip: true, meta: { skipped: { because, alsoInCi } } };

type Finished = {
  readonly name: string;
  /** Why its first attempt failed, in one line; undefined: it needed no second. */
  readonly firstFailure: string | undefined;
  /** Whether it was skipped, and why; undefined: it ran. */
  readonly skipped: Partial<Skipped> | undefined;
};

/** What the last lines of a run say of its tests, and whether they make the run fail. */
export const verdictOn = (tests: readonly Finished[], { isCi }: { readonly isCi: boolean }) => {
  const retried = tests.flatMap(({ name, firstFailure }) =>
    firstFailure === undefined ? [] : [`${name}: ${firstFailure}`],
  );
  const reasons = tests.flatMap(({ skipped }) => (skipped ? [skipped.because ?? 'no reason is given'] : []));
  const mustRun = tests.filter(
    ({ skipped: given }) => given && (given.because === undefined || (isCi && given.alsoInCi !== true)),
  );
  const isTooOftenRetried = retried.length > mostRetried;
  return {
    lines: [
      ...[...new Set(reasons)].map(
        (reason) => `Skipped ${countOf(reasons.filter((one) => one === reason))}: ${reason}`,
      ),
      ...retried.map((name) => `Needed a second attempt: ${name}`),
      ...(isTooOftenRetried
        ? [`Failed: ${countOf(retried)} needed a second attempt, and at most ${mostRetried} may`]
        : []),
      ...mustRun.map(({ name, skipped }) =>
        skipped?.because === undefined
          ? `Failed: skipped without a reason (see skippedBecause): ${name}`
          : `Failed: skipped, although CI can run it: ${name}`,
      ),
    ],
    isFailed: isTooOftenRetried || mustRun.length > 0,
  };
};

const countOf = (tests: readonly unknown[]) => `${tests.length} test${tests.length === 1 ? '' : 's'}`;

/** Prints which tests were retried and which were skipped and why, after the other reporters, and lets the run fail for them. */
export const retriedAndSkipped = (): Reporter => {
  let isPart = false;
  return {
    onInit: ({ config }) => {
      isPart = config.testNamePattern !== undefined; // Vitest reports tests with other names as skipped
    },
    onTestRunEnd: (modules, _, reason) => {
      const tests = modules.flatMap(({ children }) => [...children.allTests()]);
      const finished = tests.map((test) => finishedOf(test));
      const isWhole = !isPart && reason === 'passed'; // after a failed hook, tests are skipped too
      const { lines, isFailed } = verdictOn(
        isWhole ? finished : finished.map((test) => ({ ...test, skipped: undefined })),
        { isCi: Boolean(process.env.CI) },
      );
      if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
      if (isFailed) process.exitCode = 1;
    },
  };
};

const finishedOf = (test: TestCase): Finished => {
  const isSkipped = test.result().state === 'skipped';
  const [firstError] = test.result().errors ?? []; // Vitest keeps the errors of a test that passed in the end
  const isRetried = (test.diagnostic()?.retryCount ?? 0) > 0;
  return {
    name: `${test.module.relativeModuleId}: ${test.fullName}`,
    firstFailure: isRetried ? inOneLine(firstError) : undefined,
    skipped: isSkipped ? (reasonOf(test) ?? {}) : undefined,
  };
};

type FirstError = NonNullable<ReturnType<TestCase['result']>['errors']>[number] | undefined;

const inOneLine = (error: FirstError) => {
  const at = error?.stacks?.[0];
  const where = at === undefined ? '' : ` (${basename(at.file)}:${at.line})`;
  return `${(error?.message ?? 'no error is given').replaceAll(/\s+/g, ' ')}${where}`;
};

/** A test's own reason to be skipped, else that of the closest `describe` around it. */
const reasonOf = (test: TestCase): Partial<Skipped> | undefined => {
  let at: TestCase | TestCase['parent'] = test;
  while (at.type !== 'module') {
    const { skipped } = at.meta();
    if (skipped !== undefined) return skipped;
    at = at.parent;
  }
  return undefined;
};
