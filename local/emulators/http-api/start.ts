import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { reasonOf } from '../../../shared/core/errors.ts';
import type { Part } from '../../part.ts';
import { serve } from '../../processes/loopback.ts';
import { httpApiResponse } from './answer.ts';
import { httpApiEvent } from './event.ts';

type Options = {
  readonly port?: number;
  /** Invokes the function that answers every route; rejects where it failed. */
  readonly invoke: (event: APIGatewayProxyEventV2) => Promise<unknown>;
  /** How long it may take, in milliseconds. @default 29,000 */
  readonly timeoutMs?: number;
  /** Hears of what the caller is told no reason of. */
  readonly log: (line: string) => void;
};

const longestBody = 10 * 2 ** 20;

/**
 * API Gateway's HTTP API with one Lambda integration behind all of its routes. Every answer has its `apigw-requestid`.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
 */
export const startHttpApi = ({ port, invoke, timeoutMs = 29_000, log }: Options): Promise<Part> => {
  const answer = async (request: Request, requestId: string): Promise<Response> => {
    if (Number(request.headers.get('content-length') ?? 0) > longestBody) return tooLarge();
    const body = Buffer.from(await request.arrayBuffer());
    if (body.length > longestBody) return tooLarge();
    const event = httpApiEvent(request, { requestId, at: new Date(), body });
    const timeout = new AbortController();
    const late = sleep(timeoutMs, 'late' as const, { signal: timeout.signal }).catch(() => 'late' as const);
    try {
      const result = await Promise.race([invoke(event).then((value) => ({ value })), late]);
      return result === 'late' ? told(503, 'Service Unavailable') : httpApiResponse(result.value);
    } finally {
      timeout.abort();
    }
  };

  return serve(async (request) => {
    const requestId = randomUUID();
    const response = await answer(request, requestId).catch((error: unknown) => {
      log(`${request.method} ${request.url}: ${reasonOf(error)}`);
      return error instanceof URIError ? told(400, 'Bad Request') : told(500, 'Internal Server Error');
    });
    response.headers.set('apigw-requestid', requestId);
    return response;
  }, port);
};

const told = (status: number, message: string): Response => Response.json({ message }, { status });
const tooLarge = () => told(413, 'Request Entity Too Large');
