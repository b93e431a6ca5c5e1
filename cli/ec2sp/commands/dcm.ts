import * as z from 'zod/mini';
import { reasonOf } from '../../../shared/core/errors.ts';
import type { Action, Context } from '../context.ts';
import { type Answer, send, TimeoutError } from '../http.ts';
import { type Column, document, Fields, type Format, table } from '../output.ts';
import { CommandError, exitCodes, UsageError } from '../terminal.ts';

/**
 * Commands whose output is that of DCM's own command line, byte for byte, also that of its errors. Only its hint of the next page repeats no
 * flag but `--page-size`.
 * @see https://github.com/dcm-project/cli (internal/commands, internal/output/formatter.go)
 */
type Listed = {
  /** As in the path of the API, and the key of a page. */
  readonly name: 'providers' | 'agents';
  readonly columns: readonly Column<Fields>[];
};

const providers: Listed = {
  name: 'providers',
  columns: [
    ['ID', ({ id }) => id],
    ['NAME', ({ name }) => name],
    ['SERVICE TYPE', ({ service_type: type }) => type],
    ['HEALTH', ({ health_status: health, status }) => health ?? status], // an environment agent has the second one
    ['CREATED', ({ create_time: created }) => created],
  ],
};

const agents: Listed = {
  name: 'agents',
  columns: [
    ['ID', ({ agent_id: id }) => id],
    ['NAME', ({ name }) => name],
    ['ENVIRONMENT', ({ environment }) => environment],
    ['HEALTH', ({ health_status: health }) => health],
    ['CREATED', ({ create_time: created }) => created],
  ],
};

const Options = z.object({
  pageSize: z.optional(z.string()),
  pageToken: z.optional(z.string()),
  type: z.optional(z.string()),
  healthStatus: z.optional(z.string()),
});

/** `results` is what an environment agent calls its providers. */
const Page = z.object({
  providers: z.optional(z.array(Fields)),
  agents: z.optional(z.array(Fields)),
  results: z.optional(z.array(Fields)),
  next_page_token: z.optional(z.nullable(z.string())),
});

const list =
  (listed: Listed): Action =>
  async (context, { options }) => {
    const { pageSize: given, pageToken, type, healthStatus } = Options.parse(options);
    const pageSize = pageSizeOf(given);
    const query = { max_page_size: pageSize, page_token: pageToken, type, health_status: healthStatus };
    const format = await context.configuration.dcmFormat();
    const answer = await ask(context, listed, { path: '', query });
    if (answer.status !== 200) return refused(context, format, answer);
    const { next_page_token: next, ...page } = Page.parse(JSON.parse(answer.text));
    const results = page[listed.name] ?? page.results ?? [];
    const { print } = context.talk;
    if (format !== 'table') {
      const whole = { results, ...(next && { next_page_token: next }) };
      print(await document(format, whole, ['results']));
      return undefined;
    }
    print(table(listed.columns, results));
    if (next) {
      const flags = Object.entries({ 'page-size': pageSize, type, 'health-status': healthStatus });
      const repeated = flags.flatMap(([flag, value]) => (value === undefined ? [] : ` --${flag} ${value}`));
      print(`\nNext page: ec2sp ${listed.name.slice(0, -1)} list${repeated.join('')} --page-token ${next}\n`);
    }
    return undefined;
  };

/** As `dcm` does, without one that is not positive. @throws UsageError */
const pageSizeOf = (given: string | undefined): string | undefined => {
  if (given !== undefined && !/^[+-]?\d+$/.test(given))
    throw new UsageError(`--page-size is ${given}: expected a whole number`);
  return Number(given) > 0 ? given : undefined;
};

const get =
  (listed: Listed): Action =>
  async (context, { args: [id = ''] }) => {
    const format = await context.configuration.dcmFormat();
    const answer = await ask(context, listed, { path: `/${encodeURIComponent(id)}`, query: {} });
    if (answer.status !== 200) return refused(context, format, answer);
    const found = Fields.parse(JSON.parse(answer.text));
    context.talk.print(format === 'table' ? table(listed.columns, [found]) : await document(format, found));
    return undefined;
  };

type Asked = { readonly path: string; readonly query: Readonly<Record<string, string | undefined>> };

const ask = async (context: Context, { name }: Listed, { path, query }: Asked): Promise<Answer> => {
  const { configuration, talk, terminal } = context;
  const { gateway, providers: atAgent, tls, timeoutMs, token } = await configuration.dcm();
  const base = (name === 'providers' ? atAgent : gateway).replace(/\/+$/, '');
  const url = new URL(`${base}/api/v1alpha1/${name}${path}`);
  for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, value);
  const bearer = await token();
  const headers = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
  try {
    const request = { url, headers, tls, timeoutMs, signal: terminal.interrupted };
    return await talk.during(`Waiting for ${url.host}`, () => send(request));
  } catch (cause) {
    terminal.interrupted.throwIfAborted();
    throw new CommandError(
      cause instanceof TimeoutError
        ? `request timed out after ${timeoutMs / 1000} seconds`
        : `failed to connect to API Gateway at ${base}: ${reasonOf(cause)}`,
      { cause },
    );
  }
};

const Problem = z.object({
  type: z.string().check(z.minLength(1)),
  status: z._default(z.int(), 0),
  title: z._default(z.string(), ''),
  detail: z._default(z.string(), ''),
});

/** Prints a problem as DCM's command line does. Not found is a failure like any other there. */
const refused = async ({ talk }: Context, format: Format, { status, text }: Answer): Promise<number> => {
  const problem = problemIn(text);
  if (problem === undefined) throw new CommandError(`HTTP ${status}: ${text.trim()}`);
  const { type, title, detail } = problem;
  talk.say(
    format === 'table'
      ? `Error: ${type} - ${title}\n  Status: ${problem.status}\n  Detail: ${detail}`
      : (await document(format, problem, ['type', 'status', 'title', 'detail'])).trimEnd(),
  );
  return exitCodes.failed;
};

const problemIn = (text: string) => {
  try {
    return Problem.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
};

export const listProviders = list(providers);
export const getProvider = get(providers);
export const listAgents = list(agents);
export const getAgent = get(agents);
