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
