import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import { reasonOf } from '../../shared/core/errors.ts';

/** A refusal by a service of AWS that speaks JSON. */
export class JsonApiError extends Error {
  override name = 'JsonApiError' as const;
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Answers one operation. @throws JsonApiError for what the service refuses, a schema's error for what it cannot read. */
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
        throw new JsonApiError('UnknownOperationException', `There is no operation ${name} here.`);
      return answer(operation(await req.json()), 200);
    } catch (error) {
      const code = error instanceof JsonApiError ? error.code : 'ValidationException';
      return answer({ __type: code, message: reasonOf(error) }, 400);
    }
  });
  return app;
};
