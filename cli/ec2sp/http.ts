import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { reasonOf } from '../../shared/core/errors.ts';

/** Files of certificates, for `https://` alone. */
export type Tls = {
  readonly caCert?: string | undefined;
  readonly clientCert?: string | undefined;
  readonly clientKey?: string | undefined;
  readonly skipVerify?: boolean | undefined;
};

export type HttpRequest = {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** For the whole answer; of a stream, for its beginning. */
  readonly timeoutMs: number;
  readonly tls?: Tls;
  readonly signal?: AbortSignal;
};

export type Answer = {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly text: string;
};

/** The server did not answer in time. */
export class TimeoutError extends Error {
  override name = 'TimeoutError' as const;
}

/** No connection, or one that broke. */
export class ConnectionError extends Error {
  override name = 'ConnectionError' as const;
}

/** @throws TimeoutError, ConnectionError; the signal's reason where it is aborted */
export const send = async (request: HttpRequest): Promise<Answer> => {
  const deadline = AbortSignal.timeout(request.timeoutMs);
  return translated(request, deadline, async () => {
    const message = await begin(request, deadline);
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(Buffer.from(chunk));
    return { ...headOf(message), text: Buffer.concat(chunks).toString() };
  });
};

/** An answer whose text arrives in parts. */
export type Stream = Omit<Answer, 'text'> & { readonly parts: AsyncIterable<string> };

/** Ends with ConnectionError where nothing has arrived for `idleMs`. @throws as `send` */
export const open = async (request: HttpRequest, idleMs: number): Promise<Stream> => {
  const beginning = new AbortController();
  const timer = setTimeout(() => beginning.abort(), request.timeoutMs);
  try {
    const message = await translated(request, beginning.signal, () => begin(request, beginning.signal));
    message.setTimeout(idleMs, () => message.destroy(new Error(`nothing arrived for ${idleMs / 1000} s`)));
    return { ...headOf(message), parts: partsOf(message, request) };
  } finally {
    clearTimeout(timer);
  }
};

async function* partsOf(message: IncomingMessage, { signal }: HttpRequest): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  try {
    for await (const chunk of message) yield decoder.decode(Buffer.from(chunk), { stream: true });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new ConnectionError(reasonOf(cause), { cause });
  }
}

const headOf = ({ statusCode = 0, headers }: IncomingMessage) => ({
  status: statusCode,
  header: (name: string) => {
    const value = headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(', ') : value;
  },
});

const translated = async <T>(
  { signal, timeoutMs }: HttpRequest,
  deadline: AbortSignal,
  run: () => Promise<T>,
): Promise<T> => {
  try {
    return await run();
  } catch (cause) {
    signal?.throwIfAborted();
    if (deadline.aborted) throw new TimeoutError(`no answer within ${timeoutMs / 1000} s`, { cause });
    throw new ConnectionError(connectionReason(cause), { cause });
  }
};

/** Node reports several refused addresses as one error without a text. */
const connectionReason = (error: unknown): string =>
  error instanceof AggregateError ? error.errors.map(reasonOf).join('; ') : reasonOf(error);

const begin = async (
  { method = 'GET', url, headers, body, tls = {}, signal }: HttpRequest,
  deadline: AbortSignal,
): Promise<IncomingMessage> => {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const options = {
    method,
    headers: {
      accept: 'application/json',
      ...headers,
      ...(text !== undefined && {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(text)),
      }),
    },
    signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]),
    agent: false as const, // no kept connection may delay the end of the command
  };
  const secure = url.protocol === 'https:' ? await tlsOptions(tls) : undefined;
  return new Promise((resolve, reject) => {
    const request = secure
      ? requestHttps(url, { ...options, ...secure }, resolve)
      : requestHttp(url, options, resolve);
    request.on('error', reject);
    request.end(text);
  });
};

const tlsOptions = async ({ caCert, clientCert, clientKey, skipVerify }: Tls) => ({
  ...(caCert !== undefined && { ca: await readFile(caCert) }),
  ...(clientCert !== undefined && { cert: await readFile(clientCert) }),
  ...(clientKey !== undefined && { key: await readFile(clientKey) }),
  ...(skipVerify && { rejectUnauthorized: false }),
});
