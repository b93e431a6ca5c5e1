import { writeFile } from 'node:fs/promises';
import colours from 'picocolors';
import { conformance } from './conformance.ts';
import { readOptions } from './options.ts';
import { summary, table } from './report.ts';

const say = (line: string) => void process.stderr.write(`${line}\n`);

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());

try {
  const options = readOptions(process.argv);
  const results = await conformance(options, {
    cancel: interrupted.signal,
    onResult: ({ id, verdict, sentence }) => say(`${id.padEnd(4)}${verdict}  ${sentence}`),
    say,
  });
  process.stdout.write(`${table(results, colours)}\n${summary(results)}\n`);
  if (options.json) await writeFile(options.json, `${JSON.stringify(results, null, 2)}\n`);
  const failed = results.some(({ verdict }) => verdict === 'fail');
  process.exitCode = failed || interrupted.signal.aborted ? 1 : 0;
} catch (error) {
  say(`conformance: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
