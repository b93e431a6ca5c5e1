import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadSettings } from '../../../infra/settings/load-settings.ts';

const docs = new URL('../../../docs/', import.meta.url);
const textOf = (page: string): string => readFileSync(new URL(page, docs), 'utf8');

describe('the pages for a first deployment', () => {
  it.each(['quickstart.md', 'quickstart-dcm.md', 'deploy.md'])(
    'have settings that synthesis accepts: docs/%s',
    (page) => {
      const blocks = [...textOf(page).matchAll(/```json\n(.*?)```/gs)].map(([, block = '']) => block);
      const settings = blocks.filter((block) => block.includes('"homeRegion"'));

      expect(settings.length).toBeGreaterThan(0);
      for (const dcm of settings) expect(() => loadSettings({ dcm }, '.')).not.toThrow();
    },
  );

  it('post every order, item and policy of docs/examples', () => {
    const posted = [...textOf('quickstart-dcm.md').matchAll(/\bpost '?[a-z-]+[^ ]* ([a-z-]+)/g)];

    expect(new Set(posted.map(([, name]) => `${name}.json`))).toEqual(
      new Set(readdirSync(new URL('examples', docs)).filter((name) => !name.startsWith('deploy'))),
    );
  });
});

/** How a test runs `ec2sp` with exactly these arguments: one by one, or as a list. */
const runs = (args: readonly string[]): RegExp =>
  new RegExp(`ec2sp\\(\\[?${args.map((arg) => `'${arg}'`).join(', ')}\\]?[,)]`);

describe('docs/quickstart.md', () => {
  const blocks = [...textOf('quickstart.md').matchAll(/^([^\n]*)\n```sh\n(.*?)```/gms)].map(
    ([, before = '', block = '']) => ({ mark: before, block }),
  );
  const needsMore = ['<!-- needs AWS -->', '<!-- needs NATS -->', "<!-- needs npm's registry -->"];

  it('says of each command which test runs it, or what it needs', () => {
    expect(blocks.length).toBeGreaterThan(5);
    for (const { mark } of blocks) expect(mark).toMatch(/^<!-- (run by [\w./-]+|needs .+) -->$/);
    for (const { mark } of blocks) if (mark.includes('needs')) expect(needsMore).toContain(mark);
  });

  it('has commands that a test runs exactly so, where it says that', () => {
    const run = blocks.filter(({ mark }) => mark.includes('run by'));

    expect(run.length).toBeGreaterThan(0);
    for (const { mark, block } of run) {
      const test = readFileSync(new URL(`../${mark.split(' ')[3]}`, docs), 'utf8');
      for (const line of block.trimEnd().split('\n')) {
        const args = line.replace('npx ec2sp ', '').split(' ');
        expect(test, line).toMatch(runs(args));
      }
    }
  });

  it('calls AWS only where it says so', () => {
    const calling = blocks.filter(({ block }) =>
      /^(aws |npx cdk |npx ec2sp (deploy$|destroy|doctor))/m.test(block),
    );

    expect(calling.filter(({ mark }) => mark !== '<!-- needs AWS -->')).toEqual([]);
  });
});

describe('docs/examples/deploy.yml', () => {
  const text = textOf('examples/deploy.yml');

  it('uses the same commits of actions as our own workflows', () => {
    const release = readFileSync(new URL('../.github/workflows/release.yml', docs), 'utf8');
    const actions = [...text.matchAll(/uses: (.+)$/gm)].map(([, action = '']) => action);

    expect(actions.length).toBeGreaterThan(0);
    expect(actions.filter((action) => !release.includes(action))).toEqual([]);
  });

  it('has no stored key, and a role that one branch of one repository may assume', () => {
    expect(text).not.toContain('secrets.');
    const role = textOf('examples/deploy-role.json');
    expect(role).toMatch(/"repo:\$\{Repository\}:ref:refs\/heads\/\$\{Branch\}"/);
    expect(role).not.toContain('StringLike');
    expect([...role.matchAll(/"Action": "(.*?)"/g)].map(([, action]) => action)).toEqual([
      'sts:AssumeRoleWithWebIdentity',
      'sts:AssumeRole',
    ]);
  });
});
