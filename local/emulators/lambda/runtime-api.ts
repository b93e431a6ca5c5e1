import { Hono } from 'hono';
import { FunctionError } from './function-error.ts';
import { functionArn } from './lambda-function.ts';

/** One event on its way into a function. */
export type Invocation = { readonly requestId: string; readonly event: string; readonly deadlineMs: number };

/** Who is behind the Runtime API: it hands out work and hears of the outcome. */
export type RuntimeSide = {
  /** The runtime is idle: settles when there is something to do for it. */
  next(): Promise<Invocation>;
  /** Without effect where that invocation is not under way. */
  succeeded(requestId: string, response: string): void;
  failed(requestId: string, error: FunctionError): void;
  /** The runtime could not load the handler. It ends its process next. */
  initFailed(error: FunctionError): void;
};

/**
 * Lambda's Runtime API, as the runtime of one execution environment sees it.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export const runtimeApi = (functionName: string, sandbox: RuntimeSide): Hono => {
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
