import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import * as z from 'zod';
import { usageOperation, type WithUsage } from '../../../functions/provider-api/operations/usage.ts';
import { type ReadsUsage, readUsage } from '../../../functions/provider-api/read-usage.ts';
import { carryUsage, recordUsage } from '../../../functions/usage/record-usage.ts';
import { PermissionDeniedError } from '../../../shared/core/errors.ts';
import { targetKey } from '../../../shared/core/target.ts';
import { type Billing, focusColumns } from '../../../shared/core/usage/focus.ts';
import type { UsageEvent } from '../../../shared/core/usage/intervals.ts';
import { router, targetPaths } from '../../../shared/http/router.ts';
import { memoryUsageLedger } from '../../fakes/memory-usage-ledger.ts';
import { memoryLog } from '../../fakes/silent.ts';
import { skippedBecause } from '../../retried-and-skipped.ts';

/** The columns that FOCUS 1.2 requires of every dataset. */
const mandatory = [
  ...['BilledCost', 'EffectiveCost', 'ListCost', 'ContractedCost', 'BillingAccountId', 'BillingAccountName'],
  ...['BillingCurrency', 'BillingPeriodStart', 'BillingPeriodEnd', 'ChargePeriodStart', 'ChargePeriodEnd'],
  ...['ChargeCategory', 'ChargeClass', 'ChargeDescription', 'PricingQuantity', 'PricingUnit', 'ProviderName'],
  ...['PublisherName', 'InvoiceIssuerName', 'ServiceCategory', 'ServiceName'],
];
/** Of these, those that may be empty. */
const nullable = ['BillingAccountName', 'ChargeClass'];
/**
 * The values that FOCUS 1.2 allows. Of the subcategories only those of Compute, because all rows are of VMs.
 * @see https://github.com/FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec/tree/v1.2/specification/columns (chargecategory.md, chargeclass.md,
 * chargefrequency.md, pricingcategory.md, servicesubcategory.md)
 */
const allowed = {
  ChargeCategory: ['Usage', 'Purchase', 'Tax', 'Credit', 'Adjustment'],
  ChargeClass: ['', 'Correction'],
  ChargeFrequency: ['One-Time', 'Recurring', 'Usage-Based'],
  PricingCategory: ['Standard', 'Dynamic', 'Committed', 'Other'],
  ServiceCategory: ['Compute'],
  ServiceSubcategory: [
    ...['Containers', 'End User Computing', 'Quantum Compute', 'Serverless Compute', 'Virtual Machines'],
    'Other (Compute)',
  ],
};

const second = (text: string) => Date.parse(text) / 1000;
const resource = 'i-0f3b939241614a839';
const ranks = { running: 1, stopping: 2 };
const event = (state: keyof typeof ranks, time: string, more: Partial<UsageEvent> = {}): UsageEvent => ({
  ...{ resource, key: String(second(time) * 10 + ranks[state]), dcmId: 'web-1', serviceType: 'vm' },
  ...{ target: 'eu-west-1', account: '111111111111', size: 't3.medium', zone: 'eu-west-1a', ...more },
});

const spot = { market: 'spot' } as const;
const billing: Billing = {
  ...{ platformName: 'Example Platform', billingAccountId: '111111111111', currency: 'USD' },
  prices: [
    { region: 'eu-west-1', instanceType: 't3.medium', platform: 'Linux/UNIX', hourly: '0.0456' },
    { region: 'eu-west-1', instanceType: 'm7i.large', platform: 'SUSE Linux', hourly: '1' },
    {
      ...{ region: 'eu-west-1', instanceType: 't3.medium', platform: 'Linux/UNIX' },
      ...spot,
      hourly: '0.01',
    },
  ],
};
const prod = { id: '222222222222', regions: ['eu-west-1'] };

const world = (
  given: { readonly billing?: Billing | undefined; readonly opens?: readonly string[] } = { billing },
) => {
  const clock = { ms: second('2026-11-25T00:00:00Z') * 1000 };
  const now = () => clock.ms;
  const ledger = memoryUsageLedger(now);
  const parts = { ledger, now, log: memoryLog(), meter: { count: () => {} } };
  const usage: ReadsUsage = readUsage({ ledger, billing: given.billing, accounts: { prod }, now });
  const { opens = ['eu-west-1'] } = given;
  const permits = (key: string) => opens.includes(key);
  const app = router({
    operations: [usageOperation<WithUsage>()],
    useCasesIn: () => ({
      usage: { ...usage, accounts: { prod }, nowSeconds: () => Math.floor(now() / 1000) },
    }),
    authentication: {
      ...{ challenge: '', insufficientScope: '' },
      async check(_, { target: asked }) {
        if (asked !== undefined && !permits(targetKey(asked)))
          throw new PermissionDeniedError('not this one');
        return ({ target }) => target !== undefined && permits(targetKey(target));
      },
    },
    targets: targetPaths({ homeRegion: 'eu-west-1', accounts: { prod } }),
    ...{ correlate: () => {}, log: memoryLog(), now },
  });
  return {
    clock,
    at: (time: string) => {
      clock.ms = second(time) * 1000;
    },
    carry: carryUsage(parts),
    get: (path: string) => app.fetch(new Request(`https://provider-api${path}`), { requestId: 'r' }),
    async record(...events: UsageEvent[]) {
      await recordUsage(parts)([{ messageId: 'm', isRetry: false, resourceMessages: events }]);
    },
  };
};

const Answer = z.object({
  rows: z.array(z.looseObject({ target: z.string() })).default([]),
  next: z.string().optional(),
  detail: z.string().optional(),
});
const jsonOf = async (response: Response) => Answer.parse(await response.json());

/** The rows of a CSV file, which has no line breaks within cells here. */
const rowsOf = (csv: string): Record<string, string>[] => {
  const [head = [], ...rows] = csv
    .trim()
    .split('\r\n')
    .map((line) =>
      [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(([, quoted, plain = '']) =>
        quoted === undefined ? plain : quoted.replaceAll('""', '"'),
      ),
    );
  return rows.map((row) => Object.fromEntries(head.map((name, index) => [name, row[index] ?? ''])));
};

describe('GET /api/v1alpha1/usage', () => {
  it('has a row for each run, with the seconds that are used and billed', async () => {
    const { record, get } = world();
    await record(
      event('running', '2026-11-20T10:30:00Z'),
      event('stopping', '2026-11-20T10:30:20Z', { reason: 'Client.UserInitiatedShutdown' }),
      event('running', '2026-11-24T23:59:00Z'),
    );

    const answer = await (await get('/api/v1alpha1/usage')).json();

    expect(answer).toEqual({
      ...{ start_time: '2026-11-01T00:00:00Z', end_time: '2026-11-25T00:00:00Z' },
      rows: [
        {
          ...{ resource_id: resource, dcm_id: 'web-1', service_type: 'vm', target: 'eu-west-1' },
          ...{ account: '111111111111', zone: 'eu-west-1a', instance_type: 't3.medium' },
          ...{ platform: 'Linux/UNIX', ended: true },
          ...{ start_time: '2026-11-20T10:30:00Z', end_time: '2026-11-20T10:30:20Z' },
          ...{ used_seconds: 20, billed_seconds: 60, stop_reason: 'Client.UserInitiatedShutdown' },
          evidence: 'events',
        },
        expect.objectContaining({ ended: false, used_seconds: 60, billed_seconds: 60 }),
      ],
    });
  });

  it('is of the targets that the credentials open, or of the one in the path', async () => {
    const { record, get } = world({ billing, opens: ['eu-west-1', '222222222222/eu-west-1'] });
    const elsewhere = { resource: 'i-00000000000000000', target: '222222222222/eu-west-1' };
    const unknown = { resource: 'i-11111111111111111', target: '333333333333/eu-west-1' };
    for (const more of [{}, elsewhere, unknown]) await record(event('running', '2026-11-20T10:30:00Z', more));
    const targetsIn = async (path: string, from = get) =>
      (await jsonOf(await from(path))).rows.map(({ target }) => target);

    expect(await targetsIn('/api/v1alpha1/usage')).toEqual(['prod/eu-west-1', 'eu-west-1']);
    expect(await targetsIn('/prod/eu-west-1/api/v1alpha1/usage')).toEqual(['prod/eu-west-1']);

    const alone = world();
    for (const more of [{}, elsewhere]) await alone.record(event('running', '2026-11-20T10:30:00Z', more));
    expect(await targetsIn('/api/v1alpha1/usage', alone.get)).toEqual(['eu-west-1']);

    const theirs = world({ billing, opens: ['222222222222/eu-west-1'] });
    for (const more of [{}, elsewhere]) await theirs.record(event('running', '2026-11-20T10:30:00Z', more));
    expect(await targetsIn('/api/v1alpha1/usage', theirs.get)).toEqual(['prod/eu-west-1']);
    expect((await theirs.get('/eu-west-1/api/v1alpha1/usage')).status).toBe(403);
  });

  it('comes in pages, as JSON and as CSV, that are all rows once', async () => {
    const { record, get } = world();
    await record(event('running', '2026-11-24T14:00:00Z'));
    const whole = rowsOf(await (await get('/api/v1alpha1/usage?granularity=hour&format=csv')).text());
    expect(whole).toHaveLength(10);

    const [json, csv]: unknown[][] = [[], []];
    for (let path: string | undefined = '/api/v1alpha1/usage?granularity=hour&limit=4'; path; ) {
      const { rows, next }: z.infer<typeof Answer> = await jsonOf(await get(path));
      json?.push(...rows);
      path = next;
    }
    for (let path: string | undefined = '/api/v1alpha1/usage?granularity=hour&limit=4&format=csv'; path; ) {
      const page: Response = await get(path);
      csv?.push(...rowsOf(await page.text()));
      path = /^<(.*)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
    }

    expect(csv).toEqual(whole);
    expect(json).toHaveLength(10);
  });

  it('comes in pages of the time that the first one was of, however late they are read', async () => {
    const { record, get, at } = world();
    await record(event('running', '2026-11-24T14:00:00Z'));
    const { next = '' } = await jsonOf(await get('/api/v1alpha1/usage?granularity=hour&limit=4'));

    at('2026-12-02T00:00:00Z');
    const { rows } = await jsonOf(await get(next.replace('limit=4', 'limit=100')));

    expect(rows).toHaveLength(6);
    expect(rows.at(-1)).toMatchObject({ end_time: '2026-11-25T00:00:00Z' });
  });

  it('has pages below the 6 MB of Lambda’s answers, also the last one of 100,000 rows', async () => {
    const { record, get } = world();
    const vms = Array.from({ length: 174 }, (_, index) => `i-${String(index).padStart(17, '0')}`);
    await record(...vms.map((id) => event('running', '2026-11-01T00:00:00Z', { resource: id })));
    const hourly = '/api/v1alpha1/usage?granularity=hour&limit=5000';

    const last = await (await get(`${hourly}&after=95224`)).text();
    expect(last.match(/"resource_id"/g)).toHaveLength(5_000);
    expect(last).not.toContain('"next"');
    const twoDays = `${hourly}&format=focus&from=2026-11-01&to=2026-11-03`;
    const focus = await (await get(twoDays)).text();
    expect(focus.trim().split('\r\n')).toHaveLength(5_001);
    for (const text of [last, focus]) expect(text.length).toBeLessThan(6_000_000);
  });

  it.each([
    ['in the future', '?from=2027-03-01&to=2027-04-01'],
    ['before the ledger began', '?from=2025-03-01&to=2025-04-01'],
    ['of which a part is in the future, that part', '?from=2026-11-25&to=2026-12-25'],
  ])('has no rows of a time %s', async (_, query) => {
    const { record, get } = world();
    await record(event('running', '2026-11-20T10:30:00Z'));

    for (const format of ['json', 'focus']) {
      const answer = await get(`/api/v1alpha1/usage${query}&format=${format}`);
      expect(answer.status).toBe(200);
      expect(await answer.text()).not.toContain(resource);
    }
  });

  it.each([
    ['?from=yesterday', 'from: expected a date or an RFC 3339 time'],
    ['?from=2026-11-02&to=2026-11-01', 'to: expected a time after from'],
    ['?from=2026-01-01', 'at most 93 days'],
    ['?from=2026-13-01', 'from: expected a date or an RFC 3339 time'],
    ['?from=2026-02-30&to=2026-03-05', 'from: expected a date or an RFC 3339 time'],
    ['?to=2026-11-01T00:00:00', 'to: expected a date or an RFC 3339 time'],
    ['?from=2026-11-01&to=2026-11-01', 'to: expected a time after from'],
    ['?from=2027-01-01', 'from: expected a time before now, where to is absent'],
    [
      '?to=2026-10-31',
      'to: expected a time after from, which is the beginning of this month where it is absent',
    ],
    ['?after=-1', 'after: '],
    ['?format=xml', 'format: '],
    ['?limit=5001', 'limit: '],
  ])('refuses %s', async (query, detail) => {
    const answer = await world().get(`/api/v1alpha1/usage${query}`);

    expect(answer.status).toBe(400);
    expect((await jsonOf(answer)).detail).toContain(detail);
  });
});

describe('usage as FOCUS 1.2', () => {
  const focus = async ({ get }: ReturnType<typeof world>, query = '') => {
    const answer = await get(`/api/v1alpha1/usage?format=focus${query}`);
    expect(answer.status).toBe(200);
    return rowsOf(await answer.text());
  };

  it('has the 21 mandatory columns, filled, and columns of its own at the end', async () => {
    const it = world();
    await it.record(event('running', '2026-11-20T10:30:00Z'), event('stopping', '2026-11-20T10:31:01Z'));

    const [row = {}] = await focus(it);

    expect(mandatory).toHaveLength(21);
    expect(mandatory.filter((name) => !Object.hasOwn(row, name))).toEqual([]);
    expect(mandatory.filter((name) => row[name] === '')).toEqual(nullable);
    const own = focusColumns.filter((name) => name.startsWith('x_'));
    expect(focusColumns.slice(-own.length)).toEqual(own);
    expect(row).toMatchObject({
      ...{ ConsumedQuantity: '61.0', PricingQuantity: '0.0169444444', ListUnitPrice: '0.0456' },
      ...{ BilledCost: '0.00077266666464', ListCost: '0.00077266666464', BillingCurrency: 'USD' },
      ...{ ChargePeriodStart: '2026-11-20T10:30:00Z', ChargePeriodEnd: '2026-11-20T10:31:01Z' },
      ...{ BillingPeriodStart: '2026-11-01T00:00:00Z', BillingPeriodEnd: '2026-12-01T00:00:00Z' },
      ...{ ResourceId: resource, SkuPriceId: 'eu-west-1:t3.medium:Linux/UNIX:OnDemand', ChargeClass: '' },
      SkuPriceDetails: '{"InstanceType":"t3.medium","OperatingSystem":"Linux/UNIX"}',
    });
  });

  /** Rows on demand, of a spot instance in another account, of SUSE and of a correction, in two months. */
  const eachKind = async () => {
    const it = world({ billing, opens: ['eu-west-1', '222222222222/eu-west-1'] });
    const theirs = { resource: 'i-00000000000000000', target: '222222222222/eu-west-1', account: prod.id };
    const suse = { resource: 'i-11111111111111111', size: 'm7i.large', platform: 'SUSE Linux' };
    await it.record(
      event('running', '2026-11-20T10:00:00Z'),
      event('running', '2026-11-20T10:00:00Z', { ...theirs, ...spot }),
      event('stopping', '2026-11-20T11:00:00Z', { ...theirs, ...spot, reason: 'spot-terminated' }),
      event('running', '2026-11-30T23:00:00Z', suse),
    );
    it.at('2026-12-01T01:00:00Z');
    await it.carry();
    it.at('2026-12-10T00:00:00Z');
    await it.record(event('stopping', '2026-11-20T11:00:00Z'));
    it.at('2026-12-11T00:00:00Z');
    const answer = await it.get('/api/v1alpha1/usage?format=focus&from=2026-11-01&to=2026-12-11');
    return answer.text();
  };

  it('has only values that FOCUS allows, in rows of each kind', async () => {
    const rows = rowsOf(await eachKind());
    const kinds = rows.map((row) => `${row.ChargeClass}:${row.PricingCategory}:${row.SubAccountName}`);
    expect([...new Set(kinds)].toSorted()).toEqual([
      ':Dynamic:prod',
      ':Standard:111111111111',
      'Correction:Standard:111111111111',
    ]);

    for (const [column, values] of Object.entries(allowed))
      for (const row of rows) expect(values, column).toContain(row[column]);
    for (const { ChargeCategory, ChargeFrequency } of rows)
      expect([ChargeCategory, ChargeFrequency]).not.toEqual(['Purchase', 'Usage-Based']);
  });

  const isValidatorMissing = process.env.FOCUS_PYTHON === undefined;
  const whyNotJudged = isValidatorMissing
    ? 'FOCUS_PYTHON does not name a Python that has FOCUS’s validator (docs/usage.md)'
    : undefined;
  const orSkipped = skippedBecause(whyNotJudged, { alsoInCi: true });

  it('fails no rule of FOCUS’s own validator but those that docs/usage.md explains', orSkipped, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'usage-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const judge = async (csv: string) => {
      const file = join(folder, 'usage.csv');
      await writeFile(file, csv);
      const command = ['run', '--silent', 'focus:validate', '--', file];
      return new Promise<{ exitCode: unknown; output: string }>((resolve) => {
        execFile('npm', command, (error, stdout, stderr) =>
          resolve({ exitCode: error?.code ?? 0, output: `${stdout}${stderr}` }),
        );
      });
    };
    const csv = await eachKind();

    expect(await judge(csv)).toEqual({
      exitCode: 0,
      output: expect.stringContaining('Pass: 221 | Fail: 5 '),
    });
    expect(await judge(csv.replaceAll(',Usage,', ',Use,'))).toEqual({
      exitCode: 1,
      output: expect.stringContaining('ChargeCategory-C-003-M'),
    });
  });

  it('names the account, how the times are known and why it ended, and has the price of a spot instance as dynamic', async () => {
    const it = world({ billing, opens: ['222222222222/eu-west-1'] });
    const theirs = { target: '222222222222/eu-west-1', account: prod.id, market: 'spot' } as const;
    const reason = 'Server.SpotInstanceTermination';
    await it.record(
      event('running', '2026-11-20T10:00:00Z', theirs),
      event('stopping', '2026-11-20T11:00:00Z', { ...theirs, reason, seenBy: 'listing' }),
    );

    const [row] = await focus(it);

    expect(row).toMatchObject({
      ...{ SubAccountId: prod.id, SubAccountName: 'prod', Tags: '', RegionName: 'eu-west-1' },
      ...{ PricingCategory: 'Dynamic', ListUnitPrice: '0.01', BilledCost: '0.01' },
      SkuPriceId: 'eu-west-1:t3.medium:Linux/UNIX:Spot',
      ...{ x_DcmVmId: 'web-1', x_StopReason: 'spot', x_Evidence: 'events/listing' },
    });
  });

  it('has the columns in the order of the alphabet, and equal costs, each the exact product', async () => {
    const it = world();
    await it.record(event('running', '2026-11-20T10:30:00Z'), event('stopping', '2026-11-20T17:13:41Z'));

    const [row = {}] = await focus(it);

    const names = Object.keys(row);
    const [own, theirs] = [
      names.filter((name) => name.startsWith('x_')),
      names.filter((name) => !name.startsWith('x_')),
    ];
    expect(names).toEqual([...theirs.toSorted(), ...own.toSorted()]);
    const digits = (text = '') => BigInt(text.replace('.', ''));
    const places = (text = '') => text.split('.')[1]?.length ?? 0;
    const { PricingQuantity: quantity, ListUnitPrice: price, ListCost: cost } = row;
    expect(digits(cost) * 10n ** BigInt(places(quantity) + places(price) - places(cost))).toBe(
      digits(quantity) * digits(price),
    );
    for (const name of ['BilledCost', 'EffectiveCost', 'ContractedCost']) expect(row[name]).toBe(cost);
    for (const name of names.filter((one) => /Cost$|Price$|Quantity$/.test(one)))
      expect(row[name]).toMatch(/^\d+\.\d+$/);
  });

  it('has a decimal point in every number, and whole hours of SUSE', async () => {
    const it = world();
    const suse = { size: 'm7i.large', platform: 'SUSE Linux' };
    await it.record(
      event('running', '2026-11-20T10:00:00Z', suse),
      event('stopping', '2026-11-20T10:00:01Z', suse),
    );

    const [row] = await focus(it);

    expect(row).toMatchObject({ ConsumedQuantity: '1.0', PricingQuantity: '1.0', BilledCost: '1.0' });
  });

  it('divides a run at days and at the end of a month, where the first row has the minimum', async () => {
    const it = world();
    it.at('2026-12-02T00:00:00Z');
    await it.carry();
    await it.record(event('running', '2026-11-30T23:59:45Z'), event('stopping', '2026-12-01T00:00:05Z'));

    const rows = await focus(it, '&from=2026-11-01&to=2026-12-02');

    expect(rows.map((row) => [row.BillingPeriodStart, row.ConsumedQuantity, row.PricingQuantity])).toEqual([
      ['2026-11-01T00:00:00Z', '15.0', '0.0152777778'],
      ['2026-12-01T00:00:00Z', '5.0', '0.0013888889'],
    ]);
  });

  it('corrects a closed month by rows in the month in which the change was learnt, and changes no row of it', async () => {
    const it = world();
    await it.record(event('running', '2026-11-20T10:00:00Z'));
    it.at('2026-12-01T01:00:00Z');
    await it.carry();
    it.at('2026-12-10T00:00:00Z');
    const november = '&from=2026-11-01&to=2026-12-01&granularity=month';
    const before = await focus(it, november);
    expect(before.map(({ ConsumedQuantity }) => ConsumedQuantity)).toEqual(['914400.0']);

    await it.record(event('stopping', '2026-11-20T11:00:00Z'));
    it.at('2026-12-11T00:00:00Z');

    expect(await focus(it, november)).toEqual(before);
    const december = await focus(it, '&from=2026-12-01&to=2026-12-11&granularity=month');
    expect(december).toHaveLength(1);
    expect(december[0]).toMatchObject({
      ...{ ChargeClass: 'Correction', BillingPeriodStart: '2026-12-01T00:00:00Z' },
      ...{ ConsumedQuantity: '-910800.0', PricingQuantity: '-253.0', BilledCost: '-11.5368' },
      ...{ ChargePeriodStart: '2026-11-20T10:00:00Z' },
    });
  });

  it('corrects the minimum of a run that began in the last minute of a closed month, where its end is learnt later', async () => {
    const it = world();
    await it.record(event('running', '2026-11-30T23:59:45Z'));
    it.at('2026-12-01T01:00:00Z');
    await it.carry();
    it.at('2026-12-05T00:00:00Z');
    const november = '&from=2026-11-01&to=2026-12-01';
    const before = await focus(it, november);
    expect(before.map(({ PricingQuantity }) => PricingQuantity)).toEqual(['0.0041666667']); // 15 s

    await it.record(event('stopping', '2026-12-01T00:00:05Z'));
    it.at('2026-12-06T00:00:00Z');

    expect(await focus(it, november)).toEqual(before);
    const december = await focus(it, '&from=2026-12-01&to=2026-12-06');
    expect(
      december.map((row) => [
        row.ChargeClass,
        row.ChargePeriodStart,
        row.ConsumedQuantity,
        row.PricingQuantity,
      ]),
    ).toEqual([
      ['Correction', '2026-11-30T23:59:45Z', '0.0', '0.0111111111'], // 40 s of the minimum
      ['', '2026-12-01T00:00:00Z', '5.0', '0.0013888889'],
    ]);
  });

  it('is refused without prices, and names the price that is missing', async () => {
    const without = world({ billing: undefined });
    const answer = await without.get('/api/v1alpha1/usage?format=focus');
    expect(answer.status).toBe(409);
    expect((await jsonOf(answer)).detail).toContain('usage.prices');

    const it = world();
    await it.record(event('running', '2026-11-20T10:00:00Z', { size: 'm7i.large' }));
    const refused = await it.get('/api/v1alpha1/usage?format=focus');
    expect(refused.status).toBe(409);
    expect((await jsonOf(refused)).detail).toContain('no price for eu-west-1:m7i.large:Linux/UNIX:on-demand');
  });
});
