import type * as z from 'zod/mini';
import { Problem } from '../../shared/http/problem.ts';
import type { Api } from './configuration.ts';
import type { Context } from './context.ts';
import { type Answer, ConnectionError, type HttpRequest, send, TimeoutError } from './http.ts';
import { CommandError, exitCodes } from './terminal.ts';

type ApiCall = {
  readonly method?: HttpRequest['method'];
  /** Below the URL of the API. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

/** The request of a call, with the token of the API. */
export const requestOf = async (context: Context, api: Api, call: ApiCall): Promise<HttpRequest> => {
  const url = new URL(call.path, api.url);
  for (const [name, value] of Object.entries(call.query ?? {}))
    if (value !== undefined) url.searchParams.append(name, value);
  const token = await api.token();
  return {
    ...{ method: call.method ?? 'GET', url, body: call.body },
    headers: { ...call.headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    timeoutMs: await context.configuration.timeoutMs(),
    signal: context.terminal.interrupted,
  };
};

/** Calls an API of ours. @throws CommandError where it refuses or does not answer */
export const call = async (context: Context, api: Api, wanted: ApiCall): Promise<Answer> => {
  const request = await requestOf(context, api, wanted);
  const answer = await context.talk.during(`Waiting for ${request.url.host}`, () => reached(request, send));
  if (answer.status >= 400) throw refusal(answer, request.url);
  return answer;
};

/** Runs a request, and says what to do where the server does not answer. */
export const reached = async <T>(
  request: HttpRequest,
  run: (request: HttpRequest) => Promise<T>,
): Promise<T> => {
  try {
    return await run(request);
  } catch (cause) {
    if (cause instanceof TimeoutError)
      throw new CommandError(`${request.url.host} gave ${cause.message}; --timeout waits longer.`, {
        cause,
      });
    if (cause instanceof ConnectionError)
      throw new CommandError(
        `${request.url.origin} cannot be reached: ${cause.message}. Check the URL, and whether the deployment or npm start runs.`,
        { cause },
      );
    throw cause;
  }
};

/** The JSON of an answer. @throws CommandError where it is of another form */
export const contentOf = <Schema extends z.ZodMiniType>(
  schema: Schema,
  { text }: Pick<Answer, 'text'>,
): z.infer<Schema> => {
  const { data, success } = schema.safeParse(jsonOf(text));
  if (success) return data;
  throw new CommandError('The answer has another form than expected: is this the URL of the right API?');
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** What an API of ours refused, as a sentence. @param url of the request, whose id a detail may begin with */
export const refusal = ({ status, text }: Answer, url?: URL): CommandError => {
  const { data: problem } = Problem.safeParse(jsonOf(text));
  const what = problem?.detail ?? `HTTP ${status}${text === '' ? '' : `: ${text.trim().slice(0, 300)}`}`;
  return new CommandError(sentence(what, url) + adviceOn(status, problem), {
    exitCode: status === 404 ? exitCodes.notFound : exitCodes.failed,
    problem,
  });
};

/** A detail that begins with the name of a field, such as page_token, or with the id that was asked for keeps it as it is written. */
const sentence = (what: string, url: URL | undefined): string => {
  const asked = url === undefined ? [] : [...url.pathname.split('/'), ...url.searchParams.values()];
  const isName = /^[\w.[\]]+: /.test(what) || asked.includes(what.split(' ', 1).join());
  const whole = isName ? what : `${what.charAt(0).toUpperCase()}${what.slice(1)}`;
  return /[.?!]$/.test(whole) ? whole : `${whole}.`;
};

const adviceOn = (status: number, problem: Problem | undefined): string => {
  if (status === 401) return ' Give the token by --token-file FILE, or - to read it from standard input.';
  if (status === 403) return ' The token does not permit this; use another one (docs/api.md, Credentials).';
  return problem?.retryable ? ' The same request can succeed when it is repeated.' : '';
};
