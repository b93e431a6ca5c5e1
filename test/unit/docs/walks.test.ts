import { existsSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

type Step = { readonly file: string; readonly name: string };

const page = readFileSync('docs/architecture.md', 'utf8');
const stepPattern = /^\d+\. `([\w./-]+\.ts): (\w+)`/gm;

/** The walks of docs/architecture.md: the numbered lists of `file: function`, by the heading that they stand under. */
const walks = page
  .split(/^## /m)
  .map((section) => ({
    heading: section.split('\n', 1)[0] ?? '',
    steps: [...section.matchAll(stepPattern)].map(([, file = '', name = '']): Step => ({ file, name })),
  }))
  .filter(({ steps }) => steps.length > 0);

const textOf = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');

const declares = ({ file, name }: Step): boolean =>
  new RegExp(`^\\s*(export )?(const|(async )?function) ${name}\\b`, 'm').test(textOf(file));

const importedBy = (file: string): string[] =>
  [...textOf(file).matchAll(/ from '(\.[^']+)'/g)].map(([, path = '']) =>
    relative('.', resolve(dirname(file), path)),
  );

/** A function of its own is invoked by name: infra has its spec. */
const isInvoked = (file: string): boolean => /^functions\/[\w-]+\/handler\.ts$/.test(file);

describe('docs/architecture.md', () => {
  it('walks through an event and a POST', () => {
    expect(walks.map(({ heading }) => heading)).toEqual(
      expect.arrayContaining(['From an event to NATS', 'From a request to EC2']),
    );
  });

  it.each(walks.flatMap(({ steps }) => steps))('names a function that $file declares: $name', (step) => {
    expect(existsSync(step.file)).toBe(true);
    expect(declares(step)).toBe(true);
  });

  it.each(walks)('walks by imports or invocations only: $heading', ({ steps }) => {
    const unreached = steps.filter(({ file }, index) => {
      const before = steps.slice(0, index).map((step) => step.file);
      return (
        !isInvoked(file) && !before.includes(file) && !before.some((one) => importedBy(one).includes(file))
      );
    });

    expect(unreached).toEqual([]);
  });
});
