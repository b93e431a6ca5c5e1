import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadSettings } from '../../../infra/settings/load-settings.ts';

const docs = new URL('../../../docs/', import.meta.url);
const textOf = (page: string): string => readFileSync(new URL(page, docs), 'utf8');

describe('the pages for a first deployment', () => {
  it.each(['quickstart-dcm.md', 'deploy.md'])('have settings that synthesis accepts: docs/%s', (page) => {
    const blocks = [...textOf(page).matchAll(/```json\n(.*?)```/gs)].map(([, block = '']) => block);
    const settings = blocks.filter((block) => block.includes('"homeRegion"'));

    expect(settings.length).toBeGreaterThan(0);
    for (const dcm of settings) expect(() => loadSettings({ dcm }, '.')).not.toThrow();
  });

  it('post every file of docs/examples', () => {
    const posted = [...textOf('quickstart-dcm.md').matchAll(/\bpost '?[a-z-]+[^ ]* ([a-z-]+)/g)];

    expect(new Set(posted.map(([, name]) => `${name}.json`))).toEqual(
      new Set(readdirSync(new URL('examples', docs))),
    );
  });
});
