import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import * as z from 'zod';
import { reasonOf } from '../../shared/core/errors.ts';
import { type LocalServer, serve } from '../processes/loopback.ts';

type Options = {
  readonly port?: number;
  /** Invokes the function behind all routes; rejects where it failed. */
  readonly invoke: (event: APIGatewayProxyEventV2) => Promise<unknown>;
  /**
   * Answers while it goes on, which API Gateway's HTTP API cannot: it has the answer of a function as a whole. Undefined: the function answers.
   * @default the function answers all requests
   */
  readonly stream?: (request: Request, requestId: string) => Promise<Response> | undefined;
  /** Timeout of an invocation, in milliseconds. @default 29,000 */
  readonly timeoutMs?: number;
  /** Called for errors whose reason the caller does not get. */
  readonly log: (line: string) => void;
};

const maximumBodyBytes = 10 * 2 ** 20;

/**
 * API Gateway's HTTP API with one Lambda integration for all routes. Every answer has an `apigw-requestid` header.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
 */
export const startHttpApi = ({
  port,
  invoke,
  stream,
  timeoutMs = 29_000,
  log,
}: Options): Promise<LocalServer> => {
  const answer = async (request: Request, requestId: string): Promise<Response> => {
    if (Number(request.headers.get('content-length') ?? 0) > maximumBodyBytes) return tooLarge();
    const body = Buffer.from(await request.arrayBuffer());
    if (body.length > maximumBodyBytes) return tooLarge();
    const event = httpApiEvent(request, { requestId, at: new Date(), body });
    const timeout = new AbortController();
    const late = sleep(timeoutMs, 'late' as const, { signal: timeout.signal }).catch(() => 'late' as const);
    try {
      const result = await Promise.race([invoke(event).then((value) => ({ value })), late]);
      return result === 'late' ? errorResponse(503, 'Service Unavailable') : httpApiResponse(result.value);
    } finally {
      timeout.abort();
    }
  };

  return serve(async (request) => {
    const requestId = randomUUID();
    const streamed = stream?.(request, requestId);
    const response = await (streamed ?? answer(request, requestId)).catch((error: unknown) => {
      log(`${request.method} ${request.url}: ${reasonOf(error)}`);
      return error instanceof URIError
        ? errorResponse(400, 'Bad Request')
        : errorResponse(500, 'Internal Server Error');
    });
    response.headers.set('apigw-requestid', requestId);
    return response;
  }, port);
};

const errorResponse = (status: number, message: string): Response => Response.json({ message }, { status });
const tooLarge = () => errorResponse(413, 'Request Entity Too Large');

/** The id, the time and the body of a request. */
export type Received = { readonly requestId: string; readonly at: Date; readonly body: Buffer };

/** Content types that API Gateway passes as text; all others are passed in base64. */
const textual = /^(text\/|application\/(json|javascript|xml)\b|application\/[\w.-]+\+(json|xml)\b)/;

/**
 * The event of an HTTP API's Lambda integration for a request, payload format 2.0: the path is decoded, header names are in lower case, and
 * repeated headers are joined by a comma.
 * @throws URIError where the path cannot be decoded.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export const httpApiEvent = (
  { method, url, headers }: Request,
  { requestId, at, body }: Received,
): APIGatewayProxyEventV2 => {
  const { pathname, search, searchParams, host, hostname } = new URL(url);
  const path = decodeURIComponent(pathname);
  const isText = textual.test(headers.get('content-type') ?? 'text/plain');
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: search.slice(1),
    headers: { ...Object.fromEntries(headers), 'x-forwarded-proto': 'http' },
    ...(search !== '' && { queryStringParameters: Object.fromEntries(searchParams) }),
    requestContext: {
      accountId: '123456789012',
      apiId: 'local',
      domainName: host,
      domainPrefix: hostname,
      http: {
        method,
        path,
        protocol: 'HTTP/1.1',
        sourceIp: '127.0.0.1',
        userAgent: headers.get('user-agent') ?? '',
      },
      requestId,
      routeKey: '$default',
      stage: '$default',
      time: at.toUTCString(),
      timeEpoch: at.getTime(),
    },
    ...(body.length > 0 && { body: body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !isText,
  };
};

const Structured = z.object({
  statusCode: z.int().min(200).max(599),
  headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  cookies: z.array(z.string()).default([]),
  body: z.string().default(''),
  isBase64Encoded: z.boolean().default(false),
});

const withoutBody = [204, 205, 304];

/**
 * The HTTP response for a function's answer, payload format 2.0. An answer without a status code is the JSON body of a 200.
 */
export const httpApiResponse = (answer: unknown): Response => {
  const structured = Structured.safeParse(answer);
  if (!structured.success) return Response.json(answer);
  const { statusCode, headers: given, cookies, body, isBase64Encoded } = structured.data;
  const headers = new Headers(Object.entries(given).map(([name, value]) => [name, String(value)]));
  for (const cookie of cookies) headers.append('set-cookie', cookie);
  const content = isBase64Encoded ? Buffer.from(body, 'base64') : body;
  return new Response(withoutBody.includes(statusCode) ? null : content, { status: statusCode, headers });
};
