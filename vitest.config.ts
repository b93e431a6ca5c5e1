import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { retriedAndSkipped } from './test/retried-and-skipped.ts';

/** Everything these tests wait for takes milliseconds, except on a machine that is busy with something else. */
const expecting = { poll: { timeout: 20_000 } };

/**
 * A test is never retried, because a race in our own code must fail. The exception is a test that starts subprocesses (nats-server, Lambda's
 * runtime, an agent, `npm start`): it is retried once, and reported when it needed that. Such tests are in `test/e2e`, and in files named
 * `*.subprocess.test.ts`.
 */
const retry = 1;
const subprocessTests = 'test/contract/**/*.subprocess.test.ts';

/** Unit tests that load modules anew, with an environment or with mocked modules of their own; the other unit tests share theirs. */
const isolatedTests = 'test/unit/**/*.isolated.test.ts';

const project = (name: string, testTimeout: number, more: object = {}) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    expect: expecting,
    ...{ testTimeout, hookTimeout: testTimeout, ...more },
  },
});

const inGitHubActions = process.env.GITHUB_ACTIONS === 'true' ? (['github-actions'] as const) : [];

/** Many tests wait for servers and subprocesses, so two files at a time are faster on two processors, where Vitest's default is one. */
const maxWorkers = Math.max(2, availableParallelism() - 1);

/** The longest file begins first: begun last, it would run alone at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLongest = ({ moduleId }: TestSpecification) => moduleId.endsWith('/e2e/npm-start.test.ts');
    const sorted = await super.sort(files);
    return [...sorted.filter(isLongest), ...sorted.filter((file) => !isLongest(file))];
  }
}

export default defineConfig({
  test: {
    maxWorkers,
    sequence: { sequencer: LongestFirst },
    projects: [
      project('unit', 60_000, { exclude: [isolatedTests], isolate: false }), // importing takes longer than the tests; see test/mocked-client.ts
      project('isolated', 60_000, { include: [isolatedTests] }),
      project('contract', 60_000, { exclude: [subprocessTests] }),
      project('subprocess', 60_000, { include: [subprocessTests], retry }),
      project('infra', 240_000, { isolate: false }), // importing the CDK takes longer than the tests, which stub nothing
      project('e2e', 180_000, { retry, maxWorkers: maxWorkers + 1, sequence: { groupOrder: 1 } }), // after the others, which would take the machine from it; such a test mostly waits
    ],
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' }, // Node 20 is supported and tested; see docs/dependencies.md
    reporters: ['default', ...inGitHubActions, retriedAndSkipped()],
    coverage: {
      include: ['shared/**', 'functions/**'],
      thresholds: { 'shared/core/**': { 100: true } },
    },
  },
});
