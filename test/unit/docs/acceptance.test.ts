import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { acceptanceReference, page } from '../../../acceptance/reference.ts';

it('docs/acceptance.md lists all differences between the emulators and AWS (npx tsx acceptance/reference.ts)', () => {
  const text = readFileSync(page, 'utf8');

  expect(text).toBe(acceptanceReference(text));
  expect(text).toMatch(/\| EC2: no events are published/);
});
