import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const folder = new URL('../../../.github/workflows/', import.meta.url);
const workflows = readdirSync(folder).map((name): [string, string] => [
  name,
  readFileSync(new URL(name, folder), 'utf8'),
]);

describe.each(workflows)('the workflow %s', (_, text) => {
  it('pins every action to a commit and names its version', () => {
    const actions = text.split('\n').filter((line) => /\buses:/.test(line));

    expect(actions.length).toBeGreaterThan(0);
    expect(actions.filter((line) => !/uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
  });

  it('has only read permissions by default', () => {
    expect(text).toMatch(/^permissions:( \{\}|\n {2}contents: read)$/m);
  });
});

it('the workflow ci judges usage by FOCUS’s own validator, with a Python that can have it, and without skipping the test', () => {
  const ci = readFileSync(new URL('ci.yml', folder), 'utf8');
  const job = ci.split(/^ {2}(?=\w+:$)/m).find((text) => text.includes('focus-validator'));
  const test = /run: npx vitest run --project unit (\S+)\n {8}env: \{ FOCUS_PYTHON: python \}$/m.exec(
    job ?? '',
  )?.[1];

  expect(job).toContain('{ python-version: "3.12" }');
  expect(job).toMatch(/run: pip install .*--require-hashes .*-r tools\/focus-validator\.txt$/m);
  const [tested, requirements] = [test ?? '', 'tools/focus-validator.txt'].map((path) =>
    readFileSync(new URL(path, new URL('../../', folder)), 'utf8'),
  );
  expect(tested).toContain('FOCUS_PYTHON');
  expect(requirements).toMatch(/^focus-validator==2\.\d+\.\d+ /m);
});
