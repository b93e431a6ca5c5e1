import { randomUUID } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { Hono } from 'hono';
import { reasonOf } from '../../../shared/core/errors.ts';
import { type LocalServer, serve } from '../../processes/loopback.ts';
import { FunctionError } from './function-error.ts';
import { functionPool } from './function-pool.ts';
import { functionArn, functionName, type LambdaFunction, settingsOf } from './lambda-function.ts';

/** Lambda, running bundles exactly as they are deployed. Its functions call each other through its `url`. */
export type LambdaHost = LocalServer & {
  /** The function's answer. @throws FunctionError with Lambda's description of the error */
  invoke(name: string, event: unknown): Promise<unknown>;
  /** The process ids of the function's running execution environments. */
  pids(name: string): number[];
  /** Suspends the function's processes, as Lambda does between invocations. */
  freeze(name: string): void;
  thaw(name: string): void;
  /** Kills the function's processes; the next invocation starts a new one. */
  kill(name: string): void;
};

type Options = {
  readonly port?: number;
  /** A function of the host's URL, where functions need it in their environment to invoke others. */
  readonly functions: readonly LambdaFunction[] | ((hostUrl: string) => readonly LambdaFunction[]);
  /** Called with each line that a function writes. */
  readonly log: (name: string, line: string) => void;
};

/**
 * Starts Lambda. A function's process, AWS's runtime client with its bundle, starts when the function is first invoked.
 * @throws where a bundle is missing. Methods throw for the name of an unknown function.
 */
export const startLambdaHost = async ({ port, functions, log }: Options): Promise<LambdaHost> => {
  const pools = new Map<string, ReturnType<typeof functionPool>>();
  const pool = (name: string) => {
    const found = pools.get(name);
    if (found === undefined) throw new Error(`there is no function ${name}`);
    return found;
  };
  const http = await serve(invokeApi({ pools, log }).fetch, port);
  const settings = (typeof functions === 'function' ? functions(http.url) : functions).map(settingsOf);
  const bundles = settings.map(({ folder }) => access(join(folder, 'index.mjs')));
  await Promise.all(bundles).catch(async (error) => {
    await http[Symbol.asyncDispose]();
    throw error;
  });
  for (const fn of settings) {
    pools.set(
      fn.name,
      functionPool(fn, (line) => log(fn.name, line)),
    );
  }
  await Promise.all(settings.map(({ name }) => pool(name).warmUp()));
  return {
    url: http.url,
    invoke: async (name, event) =>
      JSON.parse(await pool(name).invoke(randomUUID(), JSON.stringify(event ?? {}))),
    pids: (name) => pool(name).pids(),
    freeze: (name) => pool(name).signal('SIGSTOP'),
    thaw: (name) => pool(name).signal('SIGCONT'),
    kill: (name) => pool(name).signal('SIGKILL'),
    [Symbol.asyncDispose]: async () => {
      await http[Symbol.asyncDispose]();
      await Promise.all(Array.from(pools.values(), (each) => each.close()));
    },
  };
};

type Pool = { invoke(requestId: string, event: string): Promise<string> };

type InvokeApiOptions = {
  readonly pools: ReadonlyMap<string, Pool>;
  /** Called for asynchronous invocations that failed. */
  readonly log: (name: string, line: string) => void;
};

/**
 * Lambda's Invoke API. An asynchronous invocation (`Event`) is not retried; AWS retries it twice, minutes later.
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
const invokeApi = ({ pools, log }: InvokeApiOptions): Hono => {
  const api = new Hono();
  api.post('/2015-03-31/functions/:name/invocations', async ({ req }) => {
    const name = functionName(req.param('name'));
    const pool = pools.get(name);
    if (pool === undefined)
      return failed(404, 'ResourceNotFoundException', `Function not found: ${functionArn(name)}`);
    const event = (await req.text()) || '{}';
    if (!isJson(event))
      return failed(400, 'InvalidRequestContentException', 'Could not parse request body into json.');
    const requestId = randomUUID();
    const answer = pool.invoke(requestId, event);
    if (req.header('x-amz-invocation-type') !== 'Event') return answered(requestId, answer);
    answer.catch((error) => log(name, `asynchronous invocation failed: ${reasonOf(error)}`));
    return new Response(null, { status: 202, headers: { 'x-amzn-requestid': requestId } });
  });
  return api;
};

const answered = async (requestId: string, answer: Promise<string>): Promise<Response> => {
  const headers = {
    'content-type': 'application/json',
    'x-amzn-requestid': requestId,
    'x-amz-executed-version': '$LATEST',
  };
  try {
    return new Response(await answer, { headers });
  } catch (error) {
    if (!(error instanceof FunctionError)) return failed(500, 'ServiceException', reasonOf(error));
    return new Response(error.body, { headers: { ...headers, 'x-amz-function-error': 'Unhandled' } });
  }
};

const failed = (status: number, type: string, message: string): Response =>
  Response.json({ Type: 'User', Message: message }, { status, headers: { 'x-amzn-errortype': type } });

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};
