import { defineConfig } from 'vitest/config';

const project = (name: string, testTimeout: number) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout, hookTimeout: testTimeout },
});

export default defineConfig({
  test: {
    projects: [
      project('unit', 20_000),
      project('contract', 30_000),
      project('infra', 120_000),
      project('e2e', 180_000),
    ],
    coverage: { include: ['shared/**', 'functions/**'], thresholds: { 'shared/domain/**': { 100: true } } },
  },
});
