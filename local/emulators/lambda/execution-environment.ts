import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Hono } from 'hono';
import { serve } from '../../processes/loopback.ts';
import { type Ending, startTiedProcess } from '../../processes/tied-process.ts';
import { exited, FunctionError, timedOut } from './function-error.ts';
import { type FunctionSettings, functionArn, handler, variables } from './lambda-function.ts';

const require = createRequire(import.meta.url);
const runtimeClient = require.resolve('aws-lambda-ric/bin/index.mjs');
const transport = fileURLToPath(new URL('runtime-transport.cjs', import.meta.url));

export type ExecutionEnvironment = Awaited<ReturnType<typeof startExecutionEnvironment>>;

/** Starts one process of a function: AWS's runtime client with a Runtime API of its own. */
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

/** Delivers an invocation to the waiting runtime. */
type Deliver = (invocation: Invocation) => void;

type UnderWay = {
  readonly requestId: string;
  readonly answer: (response: string) => void;
  readonly fail: (error: FunctionError) => void;
};

/** Lambda's limit of the init phase: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html */
const initLimitMs = 10_000;

type Options = {
  readonly timeoutMs: number;
  /** Kills the process after a timeout. */
  readonly kill: () => void;
};

/** Connects the callers of a function with its runtime, which handles one invocation at a time. */
const createSandbox = ({ timeoutMs, kill }: Options) => {
  let underWay: UnderWay | undefined;
  let ending: Ending | undefined;
  let initialised = false;
  let endError = exited;

  let offer: (deliver: Deliver | undefined) => void;
  let offered: Promise<Deliver | undefined>;
  const awaitRuntime = () => {
    offered = new Promise((resolve) => {
      offer = resolve;
    });
    return offered;
  };

  const limit = (ms: number) =>
    setTimeout(() => {
      endError = (requestId) => timedOut(requestId, ms);
      kill();
    }, ms);
  let clock = limit(initLimitMs);

  const finished = (requestId: string): UnderWay | undefined => {
    if (underWay?.requestId !== requestId) return undefined;
    clearTimeout(clock);
    const done = underWay;
    underWay = undefined;
    return done;
  };

  const runtimeSide: RuntimeSide = {
    next: () => {
      if (!initialised) clearTimeout(clock);
      initialised = true;
      return new Promise((deliver) => offer(deliver));
    },
    succeeded: (requestId, response) => finished(requestId)?.answer(response),
    failed: (requestId, error) => finished(requestId)?.fail(error),
    initFailed: (error) => {
      endError = () => error;
    },
  };

  return {
    runtimeSide,
    /** Settles when the function is loaded, or has failed to load. */
    ready: awaitRuntime(),
    hasEnded: () => ending !== undefined,
    /** The function's answer; `undefined` where the process has ended since the last invocation. @throws FunctionError */
    invoke: async (requestId: string, event: string): Promise<string | undefined> => {
      const deliver = await offered;
      if (ending !== undefined && !initialised) throw endError(requestId, ending);
      if (ending !== undefined || deliver === undefined) return undefined;
      awaitRuntime();
      clock = limit(timeoutMs);
      return new Promise((answer, fail) => {
        underWay = { requestId, answer, fail };
        deliver({ requestId, event, deadlineMs: Date.now() + timeoutMs });
      });
    },
    ended: (how: Ending): void => {
      ending = how;
      clearTimeout(clock);
      underWay?.fail(endError(underWay.requestId, how));
      offer(undefined);
    },
  };
};

/** One invocation of a function. */
export type Invocation = { readonly requestId: string; readonly event: string; readonly deadlineMs: number };

/** What the Runtime API needs: invocations to deliver, and callbacks for their outcomes. */
export type RuntimeSide = {
  /** Called when the runtime is idle. Settles with the next invocation. */
  next(): Promise<Invocation>;
  /** No effect where that invocation is not under way. */
  succeeded(requestId: string, response: string): void;
  failed(requestId: string, error: FunctionError): void;
  /** The runtime could not load the handler. It ends its process next. */
  initFailed(error: FunctionError): void;
};

/**
 * Lambda's Runtime API, as the runtime of one execution environment sees it.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
const runtimeApi = (functionName: string, sandbox: RuntimeSide): Hono => {
  const api = new Hono().basePath('/2018-06-01/runtime');
  api.get('/invocation/next', async ({ body }) => {
    const { requestId, event, deadlineMs } = await sandbox.next();
    return body(event, 200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': requestId,
      'lambda-runtime-deadline-ms': String(deadlineMs),
      'lambda-runtime-invoked-function-arn': functionArn(functionName),
    });
  });
  api.post('/invocation/:id/response', async ({ req, json }) => {
    sandbox.succeeded(req.param('id'), await req.text());
    return json({ status: 'OK' }, 202);
  });
  api.post('/invocation/:id/error', async ({ req, json }) => {
    sandbox.failed(req.param('id'), new FunctionError(await req.text()));
    return json({ status: 'OK' }, 202);
  });
  api.post('/init/error', async ({ req, json }) => {
    sandbox.initFailed(new FunctionError(await req.text()));
    return json({ status: 'OK' }, 202);
  });
  return api;
};
