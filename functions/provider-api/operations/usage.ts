import * as z from 'zod/mini';
import { InvalidArgumentError, NotFoundError } from '../../../shared/core/errors.ts';
import { ServiceType } from '../../../shared/core/kind.ts';
import { usualPlatform } from '../../../shared/core/outputs.ts';
import {
  type Accounts,
  namedTarget,
  targetKey,
  targetName,
  targetOfKey,
} from '../../../shared/core/target.ts';
import {
  type Charge,
  evidenceOf,
  fargateSecondsOf,
  type Period,
} from '../../../shared/core/usage/charges.ts';
import { beginOf, monthOf } from '../../../shared/core/usage/month.ts';
import { type Call, integerParameter, type Operation, operationsOf } from '../../../shared/http/operation.ts';
import type { ReadsUsage, UsageAsked } from '../read-usage.ts';
import { idsOf } from './collection.ts';

/** What the operation calls. */
export type UsageUseCases = ReadsUsage & {
  readonly accounts: Accounts;
  /** Since 1970. */
  readonly nowSeconds: () => number;
};
/** Undefined: there is no usage ledger. */
export type WithUsage = { readonly usage?: UsageUseCases | undefined };

const defaultLimit = 1000;
/** Of FOCUS, a row has about 800 bytes, and an answer of Lambda 6 MB. */
const maximumLimit = 5000;
const longestSeconds = 93 * 86_400;

const timePattern = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?$/;
const expectedTime = 'expected a date or an RFC 3339 time, such as 2026-11-01 or 2026-11-01T00:00:00Z';

/** `Date.parse` takes the 30th of February for the 2nd of March. */
const isDay = (day: string) => new Date(Date.parse(day)).toJSON()?.startsWith(day) ?? false;

const time = (description: string) =>
  z.optional(
    z.string().check(
      z.regex(timePattern, { error: expectedTime, abort: true }),
      z.refine((text) => !Number.isNaN(Date.parse(text)) && isDay(text.slice(0, 10)), {
        error: expectedTime,
      }),
      z.describe(description),
    ),
  );

const Query = z.object({
  from: time('The beginning, by default that of this month.'),
  to: time('The end, which is not part of it; now by default. At most 93 days after the beginning.'),
  format: z
    ._default(z.enum(['json', 'csv', 'focus'], 'expected json, csv or focus'), 'json')
    .check(z.describe('`focus` is CSV of FOCUS 1.2, of VMs alone. It needs prices in the settings.')),
  granularity: z
    .optional(z.enum(['hour', 'day', 'month'], 'expected hour, day or month'))
    .check(z.describe('How long a row is at most, by UTC. By default a month, and in FOCUS a day.')),
  id: z.optional(
    z
      .string()
      .check(
        z.minLength(1, 'expected an id'),
        z.maxLength(256, 'expected at most 256 characters'),
        z.describe('Only of the resource with this id, DCM’s or AWS’s.'),
      ),
  ),
  service_type: z.optional(
    z
      .enum(ServiceType.options, 'expected vm, container or cluster')
      .check(z.describe('Only of this service type.')),
  ),
  limit: z
    ._default(integerParameter(1, maximumLimit), defaultLimit)
    .check(z.describe(`How many rows at most: 1 to ${maximumLimit}, ${defaultLimit} by default.`)),
  after: z
    ._default(integerParameter(0, 999_999_999), 0)
    .check(z.describe('How many rows to leave out, as the path of the next page has it.')),
});
type Query = z.output<typeof Query>;

const dateTime = (description: string) =>
  z.string().check(z.meta({ format: 'date-time' }), z.describe(description));
const known = (description: string) => z.optional(z.string().check(z.describe(description)));

const UsageRow = z
  .object({
    resource_id: z.string().check(z.describe('The id of the instance, task or cluster.')),
    dcm_id: z.string().check(z.describe('The id that DCM knows it by.')),
    service_type: ServiceType.check(z.describe('`vm`, `container` or `cluster`.')),
    target: z.string().check(z.describe('`eu-west-1`, or `prod/eu-west-1` in another account.')),
    account: known('The id of the AWS account.'),
    zone: known('The Availability Zone.'),
    instance_type: known('Of a VM.'),
    platform: known('Of a VM, as EC2’s `PlatformDetails`.'),
    start_time: dateTime('The begin of the use, or of the part of it that the row is of.'),
    end_time: dateTime('The end, which is not part of it.'),
    ended: z.boolean().check(z.describe('Whether the use has ended; else it goes on.')),
    used_seconds: z.int().check(z.describe('Between the two.')),
    billed_seconds: z
      .int()
      .check(z.describe('By AWS’s rules: with the minimum of a minute, and of SUSE whole hours.')),
    vcpu_seconds: z.optional(
      z.number().check(z.describe('Of a container: its vCPUs, by its billed seconds.')),
    ),
    gb_seconds: z.optional(
      z.number().check(z.describe('Of a container: its memory in GB, by its billed seconds.')),
    ),
    stop_reason: known('EC2’s code for why it ended.'),
    market: known('`spot`, of a spot instance.'),
    evidence: z
      .string()
      .check(
        z.describe(
          'How begin and end of the use are known: by `events` of AWS, or by a `listing` or a `request` alone, and then up to seven seconds early. As `events/listing` where they differ.',
        ),
      ),
  })
  .check(z.meta({ id: 'UsageRow', description: 'The use of one resource in one part of the time.' }));
type UsageRow = z.infer<typeof UsageRow>;

const UsageAnswer = z
  .object({
    start_time: dateTime('The begin of the time that was asked for.'),
    end_time: dateTime('Its end.'),
    rows: z.array(UsageRow).check(z.describe('By resource and time.')),
    next: known('The path of the next page.'),
  })
  .check(z.meta({ id: 'Usage', description: 'What was used, by resource and time.' }));

const usageColumns = [
  ...['resource_id', 'dcm_id', 'service_type', 'target', 'account', 'zone', 'instance_type', 'platform'],
  ...['start_time', 'end_time', 'ended', 'used_seconds', 'billed_seconds', 'vcpu_seconds', 'gb_seconds'],
  ...['stop_reason', 'market', 'evidence'],
] as const;

/** `GET /api/v1alpha1/usage`. */
export const usageOperation = <UseCases extends WithUsage>(): Operation<UseCases> =>
  operationsOf<UseCases>(idsOf({ serviceType: 'vm' }))({
    operationId: 'getUsage',
    method: 'GET',
    path: '/api/v1alpha1/usage',
    isOfAllTargets: true,
    summary: 'Get usage',
    description:
      'How long resources were in states that AWS bills, with the seconds that it bills for that. Without a region in the path, of all targets that the credentials open; else of that target alone. Only where the settings have `usage`. Estimates, not an invoice.',
    query: Query,
    status: 200,
    answered: 'A page of rows. As CSV, the header `Link` has the path of the next page.',
    answer: UsageAnswer,
    alsoAnsweredAs: ['text/csv'],
    problems: ['failed-precondition', 'not-found'],
    async run({ usage }, call) {
      if (usage === undefined) throw new NotFoundError('usage: the settings of this provider have no usage');
      const { format, granularity = format === 'focus' ? 'day' : 'month' } = call.query;
      const period = periodOf(call.query, usage.nowSeconds());
      const asked: UsageAsked = { ...period, granularity, opens: openedBy(call, usage.accounts) };
      const page = { query: call.query, url: withTimes(call.url, period) };
      const isAsked = filterOf(call.query);
      if (format === 'focus') {
        const { focusColumns } = await import('../../../shared/core/usage/focus.ts');
        const rows = await usage.focus(asked);
        return csvPage(
          rows.filter((row) => isAsked('vm', [row.ResourceId, row.x_DcmVmId])),
          focusColumns,
          page,
        );
      }
      const charges = (await usage.charges(asked)).filter(({ interval }) =>
        isAsked(interval.serviceType, [interval.resource, interval.dcmId]),
      );
      if (format === 'csv')
        return csvPage(
          charges.map((one) => rowOf(one, usage)),
          usageColumns,
          page,
        );
      const { rows, next } = pageOf(charges, page);
      return {
        ...{ start_time: timeOf(period.from), end_time: timeOf(period.until) },
        rows: rows.map((one) => rowOf(one, usage)),
        ...(next !== undefined && { next }),
      };
    },
  });

/** By the ids that a resource has. */
const filterOf =
  ({ id, service_type: wanted }: Query) =>
  (serviceType: string, ids: readonly string[]): boolean =>
    (id === undefined || ids.includes(id)) && (wanted === undefined || wanted === serviceType);

const periodOf = ({ from, to }: Query, nowSeconds: number): Period => {
  const begin = from === undefined ? beginOf(monthOf(nowSeconds)) : secondOf(from);
  const until = to === undefined ? nowSeconds : secondOf(to);
  if (begin >= until)
    throw new InvalidArgumentError(
      to === undefined
        ? 'from: expected a time before now, where to is absent'
        : `to: expected a time after from${from === undefined ? ', which is the beginning of this month where it is absent' : ''}`,
    );
  if (until - begin > longestSeconds)
    throw new InvalidArgumentError('to: expected a time at most 93 days after from');
  return { from: begin, until };
};

/** So that the rows of the next page are of the same time, also where it is the current one. */
const withTimes = (url: URL, { from, until }: Period): URL => {
  const exact = new URL(url);
  exact.searchParams.set('from', timeOf(from));
  exact.searchParams.set('to', timeOf(until));
  return exact;
};

const secondOf = (text: string): number => Math.floor(Date.parse(text) / 1000);
const timeOf = (second: number): string => `${new Date(second * 1000).toISOString().slice(0, 19)}Z`;

/** Nothing of an account that is no longer configured, whose alias is not known. */
const openedBy = (
  { base, target, permits }: Pick<Call<Query>, 'base' | 'target' | 'permits'>,
  accounts: Accounts,
): ((key: string) => boolean) => {
  const known = new Map<string, boolean>();
  return (key) => {
    const held = known.get(key);
    if (held !== undefined) return held;
    const opens = base === '' ? permitsKey(key) : key === targetKey(target);
    known.set(key, opens);
    return opens;
  };

  function permitsKey(key: string): boolean {
    const of = targetOfKey(key);
    const isKnown = of.account === undefined || Object.values(accounts).some(({ id }) => id === of.account);
    return isKnown && permits({ target: namedTarget(accounts, of) });
  }
};

const rowOf = (charge: Charge, { accounts }: Pick<UsageUseCases, 'accounts'>): UsageRow => {
  const { interval, from, until, usedSeconds, billedSeconds } = charge;
  const { resource, dcmId, serviceType, target, account, zone, size, platform } = interval;
  const { market, stopReason } = interval;
  const isVm = serviceType === 'vm';
  const fargate = serviceType === 'container' ? fargateSecondsOf(charge) : undefined;
  return {
    ...{ resource_id: resource, dcm_id: dcmId, service_type: serviceType },
    target: targetName(namedTarget(accounts, targetOfKey(target))),
    ...(account !== undefined && { account }),
    ...(zone !== undefined && { zone }),
    ...(isVm && size !== undefined && { instance_type: size, platform: platform ?? usualPlatform }),
    ...{ start_time: timeOf(from), end_time: timeOf(until), ended: interval.until !== undefined },
    ...{ used_seconds: usedSeconds, billed_seconds: billedSeconds },
    ...(fargate && { vcpu_seconds: fargate.vcpuSeconds, gb_seconds: fargate.gbSeconds }),
    ...(stopReason !== undefined && { stop_reason: stopReason }),
    ...(market !== undefined && { market }),
    evidence: evidenceOf(interval),
  };
};

/** By number: rows of the past stay where they are, and new ones of a resource come after its own. */
const pageOf = <Row>(
  rows: readonly Row[],
  { query: { after, limit }, url }: Pick<Call<Query>, 'query' | 'url'>,
): { readonly rows: readonly Row[]; readonly next: string | undefined } => {
  const end = after + limit;
  if (rows.length <= end) return { rows: rows.slice(after), next: undefined };
  const parameters = new URLSearchParams(url.searchParams);
  parameters.set('after', String(end));
  return { rows: rows.slice(after, end), next: `${url.pathname}?${parameters}` };
};

const csvPage = <Column extends string>(
  all: readonly Readonly<Partial<Record<Column, string | number | boolean | undefined>>>[],
  columns: readonly Column[],
  call: Pick<Call<Query>, 'query' | 'url'>,
): Response => {
  const { rows, next } = pageOf(all, call);
  const lines = [columns.join(','), ...rows.map((row) => columns.map((one) => cellOf(row[one])).join(','))];
  return new Response(`${lines.join('\r\n')}\r\n`, {
    headers: {
      'content-type': 'text/csv; charset=utf-8; header=present',
      ...(next !== undefined && { link: `<${next}>; rel="next"` }),
    },
  });
};

/** @see https://www.rfc-editor.org/rfc/rfc4180#section-2 */
const cellOf = (value: string | number | boolean | undefined = ''): string => {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
