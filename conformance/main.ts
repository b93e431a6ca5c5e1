import { writeFile } from 'node:fs/promises';
import colours from 'picocolors';
import { conformance } from './conformance.ts';
import { chosenGroups } from './groups.ts';
import { givenBy, readOptions } from './options.ts';
import { reasonOf } from './outcome.ts';
import { summary, table } from './report.ts';
import type { Result } from './run.ts';

const say = (line: string) => void process.stderr.write(`${line}\n`);

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());

const results: Result[] = [];
let planned = 0;
try {
  const options = readOptions(process.argv);
  const chosen = chosenGroups(options, givenBy(options));
  planned = chosen.reduce((count, { checks }) => count + checks.length, 0);
  await conformance(options, chosen, {
    cancel: interrupted.signal,
    onResult: (result) => {
      results.push(result);
      say(`${result.id.padEnd(5)}${result.verdict}  ${result.sentence}`);
    },
    say,
  });
  if (options.json) await writeFile(options.json, `${JSON.stringify(results, null, 2)}\n`);
} catch (error) {
  say(`conformance: ${reasonOf(error)}`);
  process.exitCode = 1;
}
if (results.length > 0) process.stdout.write(`${table(results, colours)}\n`);
process.stdout.write(`${summary(results, planned)}\n`);
if (results.some(({ verdict }) => verdict === 'fail') || interrupted.signal.aborted) process.exitCode = 1;
