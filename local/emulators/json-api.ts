import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import { reasonOf } from '../../shared/core/errors.ts';
import { type Caller, type Callers, jsonErrorOf, keyCallers, signatureOf } from './callers.ts';

type ErrorOptions = {
  /** @default 400 */
  readonly status?: 400 | 403 | 500 | 503;
  /** More fields of the error's body, such as the resources it is about. */
  readonly fields?: Readonly<Record<string, unknown>>;
};

/** An error of an AWS service with a JSON protocol. */
export class JsonApiError extends Error {
  override name = 'JsonApiError' as const;
  readonly code: string;
  readonly status: NonNullable<ErrorOptions['status']>;
  readonly fields: NonNullable<ErrorOptions['fields']>;

  constructor(code: string, message: string, { status = 400, fields = {} }: ErrorOptions = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.fields = fields;
  }
}

/** The operation that a request names, and the region and the caller that its signature names. */
export type Call = { readonly operation: string; readonly region: string; readonly caller: Caller };

/** Answers one operation. @throws JsonApiError for an error of the service, ZodError for an invalid request. */
export type Operation = (input: unknown, call: Call) => unknown;

type Options = {
  /** As in policies, such as `ecs`. */
  readonly service: string;
  /** @default keyCallers */
  readonly callers?: Callers;
  /** Called for each call of a supported operation, before it is handled. */
  readonly onCall?: (call: Call) => void;
  /** Called for each call that the caller may make. Rejects with a JsonApiError to refuse it. */
  readonly admit?: (call: Call) => Promise<void>;
  /** The error code for a request with missing or malformed parameters. @default 'ValidationException' */
  readonly invalidRequest?: string;
};

/**
 * AWS's JSON 1.1 protocol: POST / with the operation in a header. Signatures are not checked.
 * @see https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 */
export const jsonApi = (
  operations: ReadonlyMap<string, Operation>,
  {
    service,
    callers = keyCallers(),
    onCall = () => {},
    admit = async () => {},
    invalidRequest = 'ValidationException',
  }: Options,
): Hono => {
  const app = new Hono();
  app.post('/', async ({ req, body }) => {
    const answer = (content: unknown, status: 200 | JsonApiError['status']) =>
      body(JSON.stringify(content), status, {
        'content-type': 'application/x-amz-json-1.1',
        'x-amzn-requestid': randomUUID(),
      });
    try {
      const [, name = ''] = (req.header('x-amz-target') ?? '').split('.');
      const operation = operations.get(name);
      if (!operation)
        throw new JsonApiError('UnknownOperationException', `the operation ${name} is not supported`);
      const signature = signatureOf((header) => req.header(header));
      const call = { operation: name, region: signature.region, caller: callers(signature) };
      onCall(call);
      const refusal = call.caller.refusal(`${service}:${name}`);
      if (refusal) throw new JsonApiError(jsonErrorOf(refusal), refusal.message, { status: 403 });
      await admit(call);
      return answer(operation(await req.json(), call), 200);
    } catch (error) {
      if (!(error instanceof JsonApiError))
        return answer({ __type: invalidRequest, message: reasonOf(error) }, 400);
      return answer({ __type: error.code, message: error.message, ...error.fields }, error.status);
    }
  });
  return app;
};
