import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { commands } from '../../../cli/ec2sp/commands.ts';
import { page } from '../../../tools/cli-reference.ts';

describe('docs/cli.md', () => {
  it('has every command as it is', async () => {
    const written = await readFile(new URL('../../../docs/cli.md', import.meta.url), 'utf8');

    expect(written, 'run npx tsx tools/cli-reference.ts').toBe(await page());
    expect(commands.length).toBeGreaterThan(10);
  });
});
