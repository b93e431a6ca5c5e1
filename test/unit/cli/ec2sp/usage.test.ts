import { describe, expect, it, onTestFinished } from 'vitest';
import { usageOperation, type WithUsage } from '../../../../functions/provider-api/operations/usage.ts';
import { readUsage } from '../../../../functions/provider-api/read-usage.ts';
import { serve } from '../../../../local/processes/loopback.ts';
import type { UsageEvent } from '../../../../shared/core/usage/intervals.ts';
import { router, targetPaths } from '../../../../shared/http/router.ts';
import { memoryUsageLedger } from '../../../fakes/memory-usage-ledger.ts';
import { memoryLog } from '../../../fakes/silent.ts';
import { ec2sp, server } from './run.ts';

const nowMs = Date.parse('2026-11-25T00:00:00Z');
const ranks = { running: 1, stopping: 2 };
const event = (state: keyof typeof ranks, time: string, more: Partial<UsageEvent> = {}): UsageEvent => ({
  ...{ resource: 'i-0f3b939241614a839', dcmId: 'web-1', serviceType: 'vm', target: 'eu-west-1' },
  ...{ account: '111111111111', size: 't3.medium', zone: 'eu-west-1a' },
  ...{ key: String((Date.parse(time) / 1000) * 10 + ranks[state]), ...more },
});
const web2 = { resource: 'i-00000000000000002', dcmId: 'web-2' };
const shop = {
  resource: 'arn:task/1',
  dcmId: 'shop-1',
  serviceType: 'container',
  size: '1024/2048',
} as const;
const billing = {
  ...{ platformName: 'Example Platform', billingAccountId: '111111111111', currency: 'USD' },
  prices: [{ region: 'eu-west-1', instanceType: 't3.medium', platform: 'Linux/UNIX', hourly: '0.0456' }],
};

/** The operation as the provider serves it, over a ledger with a VM that was stopped, and one and a container that run. */
const provider = async ({ hasUsage = true, hasPrices = true } = {}) => {
  const now = () => nowMs;
  const ledger = memoryUsageLedger(now);
  await ledger.add('2026-11', [
    event('running', '2026-11-20T10:30:00Z'),
    event('stopping', '2026-11-20T10:30:20Z'),
    event('running', '2026-11-24T20:00:00Z', web2),
    event('running', '2026-11-21T00:00:00Z', shop),
  ]);
  const reads = readUsage({ ledger, billing: hasPrices ? billing : undefined, accounts: {}, now });
  const usage = { ...reads, accounts: {}, nowSeconds: () => nowMs / 1000 };
  const asked: string[] = [];
  const app = router({
    operations: [usageOperation<WithUsage>()],
    useCasesIn: () => ({ usage: hasUsage ? usage : undefined }),
    authentication: { ...{ challenge: '', insufficientScope: '' }, check: async () => () => true },
    targets: targetPaths({ homeRegion: 'eu-west-1', accounts: {} }),
    ...{ correlate: () => {}, log: memoryLog(), now },
  });
  const running = await serve((request) => {
    asked.push(new URL(request.url).search);
    return app.fetch(request, { requestId: 'r' });
  });
  onTestFinished(() => running[Symbol.asyncDispose]());
  return { asked, usage: (...args: string[]) => ec2sp(['usage', '--url', running.url, ...args]) };
};

const linesOf = (csv: string) => csv.trimEnd().split('\r\n');

describe('ec2sp usage', () => {
  it('prints a table of this month, and says of which time it is', async () => {
    const { stdout, stderr, exitCode } = await (await provider()).usage();

    expect(stdout).toBe(
      [
        'ID      TYPE       TARGET     RESOURCE             SIZE       FROM                  TO                              USED      BILLED',
        'shop-1  container  eu-west-1  arn:task/1                      2026-11-21T00:00:00Z  2026-11-25T00:00:00Z (goes on)  345600 s  345600 s',
        'web-2   vm         eu-west-1  i-00000000000000002  t3.medium  2026-11-24T20:00:00Z  2026-11-25T00:00:00Z (goes on)  14400 s   14400 s',
        'web-1   vm         eu-west-1  i-0f3b939241614a839  t3.medium  2026-11-20T10:30:00Z  2026-11-20T10:30:20Z            20 s      60 s',
        '',
      ].join('\n'),
    );
    expect(stderr).toBe(
      'From 2026-11-01T00:00:00Z to 2026-11-25T00:00:00Z. --format csv has every column.\n',
    );
    expect(exitCode).toBe(0);
  });

  it.each([[['--format', 'json']], [['-o', 'json']]])('prints JSON with %j', async (flags) => {
    const { stdout } = await (await provider()).usage(...flags);

    expect(JSON.parse(stdout)).toMatchObject({
      ...{ start_time: '2026-11-01T00:00:00Z', end_time: '2026-11-25T00:00:00Z' },
      rows: [
        { dcm_id: 'shop-1' },
        { dcm_id: 'web-2', ended: false },
        { dcm_id: 'web-1', billed_seconds: 60 },
      ],
    });
  });

  it('prints every page of JSON as one', async () => {
    const pages = await server(({ query }) => {
      const after = query.get('after');
      const next = after === null ? '/api/v1alpha1/usage?limit=1&after=1' : undefined;
      return {
        body: { start_time: 'a', end_time: 'b', rows: [{ dcm_id: after ?? '0' }], ...(next && { next }) },
      };
    });

    const { stdout } = await ec2sp(['usage', '--url', pages.url, '-o', 'json', '--id', 'web-1']);

    expect(JSON.parse(stdout).rows).toEqual([{ dcm_id: '0' }, { dcm_id: '1' }]);
    expect(pages.asked.map(({ query }) => query.get('id'))).toEqual(['web-1', 'web-1']);
  });

  it('prints every page of CSV as one file, with the headings once', async () => {
    const pages = await server(({ query }) => ({
      headers: {
        'content-type': 'text/csv',
        ...(query.get('after') === null && { link: '</api/v1alpha1/usage?format=csv&after=2>; rel="next"' }),
      },
      body: query.get('after') === null ? 'a,b\r\n1,2\r\n3,4\r\n' : 'a,b\r\n5,6\r\n',
    }));

    const { stdout } = await ec2sp(['usage', '--url', pages.url, '--format', 'csv']);

    expect(linesOf(stdout)).toEqual(['a,b', '1,2', '3,4', '5,6']);
  });

  it('prints CSV and FOCUS as the provider answers them', async () => {
    const { usage } = await provider();

    const csv = linesOf((await usage('--format', 'csv')).stdout);
    const focus = linesOf((await usage('--format', 'focus')).stdout);

    expect(csv).toHaveLength(4);
    expect(csv[0]).toMatch(/^resource_id,dcm_id,service_type,/);
    expect(focus).toHaveLength(3);
    expect(focus[0]).toContain('BilledCost');
  });

  it.each([
    ['2026-11', '?from=2026-11-01&to=2026-12-01&'],
    ['2026-12', '?from=2026-12-01&to=2027-01-01&'],
    ['2024-02', '?from=2024-02-01&to=2024-03-01&'],
  ])('asks for the whole month %s', async (month, query) => {
    const { asked, usage } = await provider();

    await usage('--month', month, '--granularity', 'day');

    expect(asked).toEqual([`${query}granularity=day`]);
  });

  it.each([
    [['--id', 'web-1'], ['web-1']],
    [['--id', 'i-00000000000000002'], ['web-2']],
    [['--type', 'container'], ['shop-1']],
    [['--type', 'vm', '--id', 'shop-1'], []],
    [['--from', '2026-11-21', '--to', '2026-11-22'], ['shop-1']],
  ])('has only what is asked for: %j', async (flags, ids) => {
    const { usage } = await provider();

    const { rows } = JSON.parse((await usage(...flags, '-o', 'json')).stdout);
    const [headings = '', ...lines] = linesOf((await usage(...flags, '--format', 'csv')).stdout);

    expect(rows.map((row: { dcm_id: string }) => row.dcm_id)).toEqual(ids);
    expect(lines.map((line) => line.split(',')[headings.split(',').indexOf('dcm_id')])).toEqual(ids);
  });

  it('has only the resource that is asked for in FOCUS', async () => {
    const { stdout } = await (await provider()).usage('--format', 'focus', '--id', 'web-1');

    expect(linesOf(stdout)).toHaveLength(2);
    expect(stdout).toContain('i-0f3b939241614a839');
  });

  it.each([
    [['--format', 'xml'], '--format is xml: expected json, csv or focus'],
    [['--month', '2026-13'], '--month is 2026-13: expected a month such as 2026-11'],
    [['--month', '2026-11', '--to', '2026-11-02'], '--month and --from or --to contradict each other'],
  ])('refuses %j', async (flags, sentence) => {
    const { asked, usage } = await provider();

    const { exitCode, stderr } = await usage(...flags);

    expect(stderr).toContain(sentence);
    expect(exitCode).toBe(2);
    expect(asked).toEqual([]);
  });

  it.each([
    [['--from', 'yesterday'], /^from: expected a date or an RFC 3339 time, such as 2026-11-01/],
    [['--from', '2026-01-01'], /^to: expected a time at most 93 days after from\./],
    [['--type', 'vms'], /^service_type: expected vm, container or cluster\./],
  ])('says what the provider expects: %j', async (flags, sentence) => {
    const { exitCode, stderr, stdout } = await (await provider()).usage(...flags);

    expect(stderr).toMatch(sentence);
    expect(stdout).toBe('');
    expect(exitCode).toBe(1);
  });

  it('says that there are no prices, and what to ask for', async () => {
    const { exitCode, stderr } = await (await provider({ hasPrices: false })).usage('--format', 'focus');

    expect(stderr).toMatch(/^No prices are configured \(setting usage\.prices\).*ask for format=csv\.\n$/);
    expect(exitCode).toBe(1);
  });

  it('says that the deployment records no usage, with 4', async () => {
    const { exitCode, stderr } = await (await provider({ hasUsage: false })).usage();

    expect(stderr).toBe(
      'This deployment does not record usage: its settings have no section usage (docs/configuration.md).\n',
    );
    expect(exitCode).toBe(4);
  });

  it('says that a target is unknown, and not that there is no usage', async () => {
    const { exitCode, stderr } = await (await provider()).usage('--target', 'nope/eu-west-1');

    expect(stderr).not.toContain('does not record usage');
    expect(exitCode).toBe(4);
  });
});
