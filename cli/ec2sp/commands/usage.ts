import * as z from 'zod/mini';
import { call, contentOf } from '../api.ts';
import type { Api } from '../configuration.ts';
import type { Action, Context } from '../context.ts';
import type { Answer } from '../http.ts';
import { type Column, document, Fields, table } from '../output.ts';
import { CommandError, exitCodes, UsageError } from '../terminal.ts';

const text = z.optional(z.string());
const Options = z.object({
  ...{ from: text, to: text, month: text },
  ...{ format: text, granularity: text, id: text, type: text },
});
type Options = z.infer<typeof Options>;

const Page = z.object({
  ...{ start_time: z.string(), end_time: z.string() },
  rows: z.array(Fields),
  next: z.optional(z.string()),
});

type Query = Readonly<Record<string, string | undefined>>;

/** Prints what was used: all pages of the provider's answer, as one. */
export const usage: Action = async (context, { options }) => {
  const { format, ...asked } = Options.parse(options);
  const { granularity, id, type: service_type } = asked;
  const query = { ...periodOf(asked), granularity, id, service_type };
  const api = await context.configuration.providerApi();
  if (format === 'csv' || format === 'focus') await printCsv(context, api, { ...query, format });
  else if (format === undefined || format === 'json') await printRows(context, api, { query, format });
  else throw new UsageError(`--format is ${format}: expected json, csv or focus`);
  return undefined;
};

const monthPattern = /^(\d{4})-(0[1-9]|1[0-2])$/;

/** @throws UsageError */
const periodOf = ({ from, to, month }: Options) => {
  if (month === undefined) return { from, to };
  if (from !== undefined || to !== undefined)
    throw new UsageError('--month and --from or --to contradict each other: give one of them');
  const [, year, number] = monthPattern.exec(month) ?? [];
  if (year === undefined || number === undefined)
    throw new UsageError(`--month is ${month}: expected a month such as 2026-11`);
  const end = new Date(Date.UTC(Number(year), Number(number))).toISOString();
  return { from: `${month}-01`, to: end.slice(0, 'yyyy-mm-dd'.length) };
};

const columns: readonly Column<Fields>[] = [
  ['ID', (row) => row.dcm_id],
  ['TYPE', (row) => row.service_type],
  ['TARGET', (row) => row.target],
  ['RESOURCE', (row) => row.resource_id],
  ['SIZE', (row) => row.instance_type],
  ['FROM', (row) => row.start_time],
  ['TO', (row) => (row.ended === false ? `${row.end_time} (goes on)` : row.end_time)],
  ['USED', (row) => `${row.used_seconds} s`],
  ['BILLED', (row) => `${row.billed_seconds} s`],
];

type Rows = { readonly query: Query; readonly format: 'json' | undefined };

const printRows = async (context: Context, api: Api, { query, format }: Rows): Promise<void> => {
  const { print, say } = context.talk;
  const output = format ?? (await context.configuration.format());
  const rows: Fields[] = [];
  let period = { start_time: '', end_time: '' };
  let next: string | undefined;
  do {
    const { rows: more, next: following, ...of } = contentOf(Page, await ask(context, api, { query, next }));
    rows.push(...more);
    period = next === undefined ? of : period;
    next = following;
  } while (next !== undefined);
  if (output !== 'table') {
    print(await document(output, { ...period, rows }, ['start_time', 'end_time', 'rows']));
    return;
  }
  print(table(columns, rows));
  say(`From ${period.start_time} to ${period.end_time}. --format csv has every column.`);
};

/** Every page begins with the headings, of which the first ones are enough. */
const printCsv = async (context: Context, api: Api, query: Query): Promise<void> => {
  let next: string | undefined;
  do {
    const answer = await ask(context, api, { query, next });
    context.talk.print(next === undefined ? answer.text : answer.text.replace(/^.*\r?\n/, ''));
    next = /^<(.*)>; rel="next"$/.exec(answer.header('link') ?? '')?.[1];
  } while (next !== undefined);
};

type Asked = {
  readonly query: Query;
  /** The path of a page after the first one. */
  readonly next: string | undefined;
};

/** @throws CommandError that says so where there is no usage, for which the API has no word of its own */
const ask = async (context: Context, api: Api, { query, next }: Asked): Promise<Answer> => {
  const after = next === undefined ? undefined : new URL(next, api.url).searchParams.get('after');
  if (after === null)
    throw new CommandError('The path of the next page names no row: is this the URL of the right API?');
  try {
    return await call(context, api, { path: 'api/v1alpha1/usage', query: { ...query, after } });
  } catch (cause) {
    if (!(cause instanceof CommandError && noUsage.safeParse(cause.problem).success)) throw cause;
    throw new CommandError(
      'This deployment does not record usage: its settings have no section usage (docs/configuration.md).',
      { exitCode: exitCodes.notFound, cause },
    );
  }
};

/** A path that is unknown is not found, too. */
const noUsage = z.object({ status: z.literal(404), detail: z.string().check(z.startsWith('usage:')) });
