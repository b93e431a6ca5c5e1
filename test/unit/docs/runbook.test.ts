import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../../', import.meta.url);
const textOf = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const runbook = textOf('docs/runbook.md');

/** Everything that the functions can log. */
const source = ['functions/', 'shared/']
  .flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => textOf(`${folder}${path}`)),
  )
  .join('\n');

const logLines = [...runbook.matchAll(/(?<![`:])"([A-Za-z][^"`{}:]* [^"`{}:]*)"/g)].map(
  ([, line = '']) => line,
);

describe('docs/runbook.md', () => {
  it.each(logLines)('quotes a log line that a function writes: %s', (line) => {
    expect(source).toContain(`'${line}'`);
  });

  it('quotes the log lines to look for', () => {
    expect(logLines.length).toBeGreaterThan(8);
  });

  it('lists every metric', () => {
    const [, counts = ''] = /export type Count =(.*?);/s.exec(textOf('shared/ports/telemetry.ts')) ?? [];
    const metrics = [...counts.matchAll(/^ {2}\| '(\w+)'/gm)].map(([, metric = '']) => metric);

    expect(metrics).not.toEqual([]);
    expect(metrics.filter((metric) => !runbook.includes(`\`${metric}\``))).toEqual([]);
  });
});
