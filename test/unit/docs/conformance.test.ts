import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { conformanceReference, page } from '../../../conformance/reference.ts';

it('docs/conformance.md lists all checks (npx tsx conformance/reference.ts)', () => {
  const text = readFileSync(page, 'utf8');

  expect(text).toBe(conformanceReference(text));
  expect(text).toMatch(/\| H2 \| is healthy for the control plane/);
});
