import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { serve } from '../../processes/loopback.ts';
import { startTiedProcess } from '../../processes/tied-process.ts';
import type { FunctionSettings } from './lambda-function.ts';
import { runtimeApi } from './runtime-api.ts';
import { createSandbox } from './sandbox.ts';
import { handler, variables } from './variables.ts';

const require = createRequire(import.meta.url);
const runtimeClient = require.resolve('aws-lambda-ric/bin/index.mjs');
const transport = fileURLToPath(new URL('runtime-transport.cjs', import.meta.url));

export type ExecutionEnvironment = Awaited<ReturnType<typeof startExecutionEnvironment>>;

/** One process of a function, run by AWS's runtime client against a Runtime API of its own. */
export const startExecutionEnvironment = async (fn: FunctionSettings, log: (line: string) => void) => {
  const sandbox = createSandbox({ timeoutMs: fn.timeoutMs, kill: () => child.signal('SIGKILL') });
  const api = await serve(runtimeApi(fn.name, sandbox.runtimeSide).fetch);
  const child = await startTiedProcess({
    command: process.execPath,
    args: [`--max-old-space-size=${fn.memoryMb}`, '--require', transport, runtimeClient, handler],
    cwd: fn.folder,
    env: variables(fn, new URL(api.url).host),
    onLine: log,
  });
  const ended = child.ended.then((how) => {
    sandbox.ended(how);
    return api[Symbol.asyncDispose]();
  });
  const { invoke, ready, hasEnded } = sandbox;
  return { pid: child.pid, signal: child.signal, ended, invoke, ready, hasEnded };
};
