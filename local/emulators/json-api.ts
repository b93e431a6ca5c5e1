import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import { reasonOf } from '../../shared/core/errors.ts';

/** An error of an AWS service with a JSON protocol. */
export class JsonApiError extends Error {
  override name = 'JsonApiError' as const;
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Answers one operation. @throws JsonApiError for an error of the service, ZodError for an invalid request. */
export type Operation = (input: unknown) => unknown;

/**
 * AWS's JSON 1.1 protocol: POST / with the operation in a header. Signatures are not checked.
 * @see https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 */
export const jsonApi = (operations: ReadonlyMap<string, Operation>): Hono => {
  const app = new Hono();
  app.post('/', async ({ req, body }) => {
    const answer = (content: unknown, status: 200 | 400) =>
      body(JSON.stringify(content), status, {
        'content-type': 'application/x-amz-json-1.1',
        'x-amzn-requestid': randomUUID(),
      });
    try {
      const [, name = ''] = (req.header('x-amz-target') ?? '').split('.');
      const operation = operations.get(name);
      if (!operation)
        throw new JsonApiError('UnknownOperationException', `the operation ${name} is not supported`);
      return answer(operation(await req.json()), 200);
    } catch (error) {
      const code = error instanceof JsonApiError ? error.code : 'ValidationException';
      return answer({ __type: code, message: reasonOf(error) }, 400);
    }
  });
  return app;
};
