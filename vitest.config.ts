import { defineConfig } from 'vitest/config';

/** What is awaited comes in milliseconds, but for a machine that has other things to do. */
const expecting = { poll: { timeout: 20_000 } };

const project = (name: string, testTimeout: number, retry = 0, groupOrder = 0) => ({
  extends: true as const,
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    expect: expecting,
    ...{ testTimeout, hookTimeout: testTimeout, retry, sequence: { groupOrder } },
  },
});

// Real servers on a machine that others use too: a test that needed its second try is still printed as such.
const retry = 2;

export default defineConfig({
  test: {
    projects: [
      project('unit', 60_000),
      project('contract', 60_000, retry),
      project('infra', 240_000),
      project('e2e', 180_000, retry, 1), // after the others, which would take the machine from it
    ],
    coverage: {
      include: ['shared/**', 'functions/**'],
      thresholds: { 'shared/{core,domain}/**': { 100: true } },
    },
  },
});
