import { constants, homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { runProgram } from './program.ts';
import { exitCodes } from './terminal.ts';

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'; // Node 20 is supported

/** The first signal lets the command clean up, for a second at most unless it has said otherwise; the next one ends it at once. */
const longestCleanUpMs = 1_000;
const interruption = new AbortController();
let mayTakeLong = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    const exit = () => process.exit(128 + constants.signals[signal]);
    if (interruption.signal.aborted) exit();
    interruption.abort();
    if (!mayTakeLong) setTimeout(exit, longestCleanUpMs).unref();
  });

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.succeeded); // the reader of a pipe, such as head, has what it wanted
  process.stderr.write(`The output could not be written: ${error.message}\n`);
  process.exit(exitCodes.failed);
});

const exitCode = await runProgram(process.argv.slice(2), {
  ...{ stdin: process.stdin, stdout: process.stdout, stderr: process.stderr },
  ...{ env: process.env, folder: process.cwd(), home: homedir() },
  programFolder: fileURLToPath(new URL('../..', import.meta.url)), // as far up from here as from dist/cli/ec2sp.mjs
  interrupted: interruption.signal,
  cleanUpTakesLong: () => {
    mayTakeLong = true;
  },
});
process.exitCode = exitCode;
if (interruption.signal.aborted) process.exit(exitCode);
