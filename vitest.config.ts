import { defineConfig } from 'vitest/config';

const project = (name: string, testTimeout: number, retry = 0) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout, hookTimeout: testTimeout, retry },
});

// Real servers on a machine that others use too: a test that needed its second try is still printed as such.
const retry = 2;

export default defineConfig({
  test: {
    projects: [
      project('unit', 20_000),
      project('contract', 30_000, retry),
      project('infra', 120_000),
      project('e2e', 180_000, retry),
    ],
    coverage: { include: ['shared/**', 'functions/**'], thresholds: { 'shared/domain/**': { 100: true } } },
  },
});
