import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Run by `npm run acceptance` alone, which gives the emulators' addresses in MINISTACK_URL and MOTO_URL. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: { include: ['acceptance/contract/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
});
