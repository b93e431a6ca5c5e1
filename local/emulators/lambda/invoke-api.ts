import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import { reasonOf } from '../../../shared/core/errors.ts';
import { FunctionError } from './function-error.ts';
import { functionArn, functionName } from './lambda-function.ts';

type Pool = { invoke(requestId: string, event: string): Promise<string> };

type Options = {
  readonly pools: ReadonlyMap<string, Pool>;
  /** Hears of asynchronous invocations that failed. */
  readonly log: (name: string, line: string) => void;
};

/**
 * Lambda's Invoke API. An asynchronous invocation (`Event`) is tried once: AWS would try it twice more, minutes later.
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export const invokeApi = ({ pools, log }: Options): Hono => {
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
    answer.catch((error) => log(name, `An asynchronous invocation failed: ${reasonOf(error)}`));
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
