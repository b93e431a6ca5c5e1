import * as z from 'zod/mini';
import { InvalidArgumentError } from '../../shared/core/errors.ts';
import { type Call, integerParameter } from '../../shared/http/operation.ts';
import { type Moment, NotListedError } from './moment.ts';

/** The largest page that is answered, whatever the limit says: API Gateway and Lambda let an answer have 6 MB. */
export const maximumResources = 1000;
export const maximumBytes = 4_500_000;
const readAtOnce = 100;

const count = integerParameter(0, 999_999_999);
const bit = (name: string) =>
  z.pipe(
    z.string().check(z.regex(/^(0|1|true|false|all)$/, `expected ${name} as 0 or 1`)),
    z.transform((text) => text !== '0' && text !== 'false'),
  );
export const flag = (name: string) =>
  z.pipe(
    z.string().check(z.regex(/^(true|false)$/, `expected ${name} as true or false`)),
    z.transform((text) => text === 'true'),
  );

export const paging = {
  limit: z
    .optional(count)
    .check(z.describe('How many resources at most. Default: all, up to what `/schema` says.')),
  offset: z._default(count, 0).check(z.describe('How many resources to skip.')),
};

const detail = {
  detail: z._default(bit('detail'), true).check(z.describe('`0`: without `object`.')),
};
const generation = {
  generation: z
    .optional(z.string().check(z.maxLength(200)))
    .check(z.describe('A generation that an answer has named: the same moment again.')),
};

/** The query of one resource. */
export const OneQuery = z.object({ ...detail, ...generation });
export type OneQuery = z.output<typeof OneQuery>;

/** The query of lists. */
export const ListQuery = z.object({
  ...paging,
  ...detail,
  name: z
    .optional(z.string().check(z.minLength(1, 'expected a name'), z.maxLength(256)))
    .check(z.describe('Only resources with this `name` or `displayName`.')),
  unhealthy: z
    .optional(flag('unhealthy'))
    .check(z.describe('Only resources that are unhealthy, or only those that are not.')),
  ...generation,
});
export type ListQuery = z.output<typeof ListQuery>;

/** The query of the report of a plan. */
export const PlanQuery = z.object({ ...paging, ...generation });
export type PlanQuery = z.output<typeof PlanQuery>;

export const labelsNote =
  'Also `label.<key>=<value>`, several times if needed: only resources that have all these tags.';

/** What lists are filtered by. */
export type Filter = {
  readonly name: string | undefined;
  readonly unhealthy: boolean | undefined;
  readonly labels: readonly (readonly [key: string, value: string])[];
};

export const filterOf = ({ query, url }: Pick<Call<ListQuery>, 'query' | 'url'>): Filter => {
  const labels = [...url.searchParams].flatMap(([key, value]): [string, string][] =>
    key.startsWith('label.') ? [[key.slice('label.'.length), value]] : [],
  );
  if (labels.some(([key]) => key === ''))
    throw new InvalidArgumentError('label.: expected a key after the dot');
  return { name: query.name, unhealthy: query.unhealthy, labels };
};

/** What a filter compares. */
type Filtered = {
  readonly name: string;
  readonly displayName?: string | undefined;
  readonly unhealthy?: boolean | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
};

export const isWanted = ({ name, unhealthy, labels }: Filter, one: Filtered): boolean =>
  (name === undefined || one.name === name || one.displayName === name) &&
  (unhealthy === undefined || (one.unhealthy ?? false) === unhealthy) &&
  labels.every(
    ([key, value]) => one.labels !== undefined && Object.hasOwn(one.labels, key) && one.labels[key] === value,
  );

/** Resources in an order, read a part at a time. */
export type Rows<Answer> = {
  readonly count: number;
  readonly read: (offset: number, limit: number) => Promise<readonly Answer[]>;
};

/** Resources that are known without reading. */
export const rowsOf = <Answer>(all: readonly Answer[]): Rows<Answer> => ({
  count: all.length,
  read: async (offset, limit) => all.slice(offset, offset + limit),
});

export const joined = <Answer>(one: Rows<Answer>, other: Rows<Answer>): Rows<Answer> => ({
  count: one.count + other.count,
  read: async (offset, limit) => {
    const first = await one.read(offset, limit);
    const skipped = Math.max(offset - one.count, 0);
    return [...first, ...(await other.read(skipped, limit - first.length))];
  },
});

/** A page of a list, at most as large as an answer may be. `moment`: undefined where the list is no part of the inventory. */
export const listResponse = async <Answer>(
  { query, url, header }: Pick<Call<ListQuery>, 'query' | 'url' | 'header'>,
  rows: Rows<Answer>,
  moment: Dated | undefined,
): Promise<Response> => {
  const { limit = Number.POSITIVE_INFINITY, offset } = query;
  const wanted = Math.min(limit, Math.max(rows.count - offset, 0));
  const page = await readPage(rows, offset, wanted);
  const end = offset + page.length;
  const isTruncated = page.length < wanted;
  const next = page.length > 0 && end < rows.count ? nextOf(url, end, moment?.generation) : undefined;
  const answer = {
    count: rows.count,
    resources: page,
    ...(moment && momentFields(moment)),
    ...(next !== undefined && { next }),
  };
  return respond(
    answer,
    { header, moment },
    {
      ...(next !== undefined && { link: `<${next}>; rel="next"` }),
      ...(isTruncated && { 'x-truncated': 'true' }),
    },
  );
};

/** At most `limit` rows, and as many as an answer has room for. */
export const readPage = async <Answer>(
  rows: Rows<Answer>,
  offset: number,
  limit: number,
): Promise<readonly Answer[]> => {
  const page: Answer[] = [];
  const most = Math.min(limit, maximumResources);
  let bytes = 0;
  while (page.length < most) {
    const read = await rows.read(offset + page.length, Math.min(readAtOnce, most - page.length));
    if (read.length === 0) return page;
    for (const one of read) {
      bytes += Buffer.byteLength(JSON.stringify(one)) + 1;
      if (bytes > maximumBytes && page.length > 0) return page;
      page.push(one);
    }
  }
  return page;
};

export const nextOf = (url: URL, offset: number, generation: string | undefined): string => {
  const parameters = new URLSearchParams(url.searchParams);
  parameters.set('offset', String(offset));
  if (generation !== undefined) parameters.set('generation', generation);
  return `${url.pathname}?${parameters}`;
};

/** A moment, and how old its listing is. */
export type Dated = Pick<Moment, 'generation' | 'listedAtMs' | 'ageSeconds'>;

const momentFields = ({ generation, listedAtMs, ageSeconds }: Dated) => ({
  generation,
  listedAt: new Date(listedAtMs).toISOString(),
  ageSeconds,
});

type Responding = {
  readonly header: Call<never>['header'];
  readonly moment: Dated | undefined;
};

/** An answer with its entity tag, or 304 where the client has it. The tag is weak, since the age in the answer changes. */
export const respond = (
  answer: unknown,
  { header, moment }: Responding,
  headers: Readonly<Record<string, string>> = {},
): Response => {
  if (moment === undefined) return Response.json(answer, { headers: { ...headers } });
  const { generation, listedAt } = momentFields(moment);
  const etag = `W/"${generation}"`;
  const all = { ...headers, etag, 'x-generation': generation, 'x-listed-at': listedAt };
  const known = (header('if-none-match') ?? '').split(',').map((one) => one.trim());
  return known.includes(etag) || known.includes('*')
    ? new Response(undefined, { status: 304, headers: all })
    : Response.json(answer, { headers: all });
};

const retrySeconds = 15;

/** Answers 206 without a body where a collection has not been listed completely. */
export const onceListed = async (answer: () => Promise<Response>): Promise<Response> => {
  try {
    return await answer();
  } catch (error) {
    if (!(error instanceof NotListedError)) throw error;
    const headers = { 'retry-after': String(retrySeconds), 'x-reason': `collection=${error.collection}` };
    return new Response(undefined, { status: 206, headers });
  }
};
