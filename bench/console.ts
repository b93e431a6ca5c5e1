import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, chromium, type Page } from 'playwright-core';
import * as z from 'zod';
import { consolePage as answeredPage } from '../functions/provider-api/console/page.ts';
import { bundleConsole } from '../infra/bundle.ts';
import { consolePage } from '../infra/console-page.ts';
import { vmSpec } from '../local/demo/catalog-item.ts';
import { providerApiClient } from '../local/demo/provider-api-client.ts';
import { serve } from '../local/processes/loopback.ts';
import type { ChangesAnswer } from '../shared/wire/changes.ts';
import type { Overview } from '../shared/wire/overview.ts';
import { changesPath, consolePath, overviewPath } from '../shared/wire/public-paths.ts';
import { findChromium, howToGetChromium } from '../test/e2e/browser.ts';
import { startMeasuredStack } from './emulators.ts';
import type { Figures } from './figures.ts';
import { median } from './measure.ts';
import { region } from './workload.ts';

const viewport = { width: 1440, height: 1000 };
const timeoutMs = 60_000;

/** The console in the system's Chromium. Without one, says how to get it, and measures nothing. */
export const console = async (): Promise<Figures> => {
  const executablePath = findChromium();
  if (executablePath === undefined) {
    process.stderr.write(`console: ${howToGetChromium}\n`);
    return {};
  }
  await bundleConsole();
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    return {
      console_kb: Buffer.from(consolePage().brotli, 'base64').length / 1024,
      ...(await untilOnScreen(browser)),
      console_busy_ratio: await busyRatio(browser),
    };
  } finally {
    await browser.close();
  }
};

const vms = 20;
/** As many as the stack has processes for. */
const atOnce = 3;
const loads = 5;

/** Notes in the page when each row first has each status, on this machine's clock, and when the first row is there, from the request on. */
const noting = `
  globalThis.noted = { statuses: {}, firstRowMs: undefined };
  new MutationObserver(() => {
    for (const row of document.querySelectorAll('tr[data-row]')) {
      noted.firstRowMs ??= performance.now();
      noted.statuses[row.dataset.row + ' ' + row.querySelector('.status')?.textContent] ??= Date.now();
    }
  }).observe(document, { subtree: true, childList: true, characterData: true });
`;
const Noted = z.object({ statuses: z.record(z.string(), z.number()), firstRowMs: z.number().optional() });
const notedIn = async (page: Page) => Noted.parse(await page.evaluate('noted'));

/** How long a status takes from DCM's row to the screen, and the first row from the request for the page, with the local stack. */
const untilOnScreen = async (browser: Browser): Promise<Figures> => {
  await using stack = await startMeasuredStack();
  const { controlPlane, endpoints } = stack;
  if (controlPlane === undefined) throw new Error('The stack has no control plane.');
  const opened = async (polls: boolean): Promise<Page> => {
    const page = await browser.newPage({ viewport });
    await page.addInitScript(noting);
    if (polls)
      // as on AWS, where no stream stays open
      await page.route(`**${changesPath}?*`, (route, request) =>
        route.continue({ headers: { ...request.headers(), accept: '*/*' } }),
      );
    await page.goto(endpoints.consoleUrl);
    await page.getByText(/^live · /).waitFor({ timeout: timeoutMs });
    return page;
  };
  const [streaming, polling] = [await opened(false), await opened(true)];

  const api = providerApiClient(endpoints);
  const inRow = new Map<string, number>();
  const left = Array.from({ length: vms }, (_, n) => `vm-${n}`).values();
  const createOneByOne = async () => {
    for (const id of left) {
      await api.of('vms').create(id, vmSpec(id));
      const { appliedAtMs } = await controlPlane.waitFor(id, 'running', timeoutMs);
      inRow.set(id, appliedAtMs);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, createOneByOne));
  const times = async (page: Page): Promise<number[]> => {
    const isRunning = (id: string) => `tr[data-row="vm/${id}"] .status:has-text("RUNNING")`;
    for (const id of inRow.keys()) await page.locator(isRunning(id)).waitFor({ timeout: timeoutMs });
    const { statuses } = await notedIn(page);
    return [...inRow].map(([id, atMs]) => (statuses[`vm/${id} RUNNING`] ?? Number.NaN) - atMs);
  };
  const [streamed, polled] = [await times(streaming), await times(polling)];
  await polling.close();

  const firstRows: number[] = [];
  for (let load = 0; load <= loads; load++) {
    await streaming.reload();
    await streaming.locator('tr[data-row]').first().waitFor({ timeout: timeoutMs });
    firstRows.push((await notedIn(streaming)).firstRowMs ?? Number.NaN);
  }
  await streaming.close();
  return {
    console_first_row_ms: median(firstRows.slice(1)), // the first load warms the cache
    console_stream_ms: median(streamed),
    console_polling_ms: median(polled),
  };
};

const turns = 5;
const settleMs = 4_000;
const measuredMs = 10_000;
const changesPerSecond = 50;
/** The VMs that change, in both pages; they are the newest, at the top of the table. */
const changing = 10;
const lives = ['STOPPING', 'STOPPED', 'PENDING', 'RUNNING'] as const;

/** The API of a provider that has so many VMs, of which ten change 50 times a second together. It is not measured. */
const startApi = (count: number) => {
  const startedAtMs = Date.now();
  const begun = () => Math.floor(((Date.now() - startedAtMs) * changesPerSecond) / 1000);
  const timeOf = (ms: number) => new Date(ms).toISOString();
  const change = (n: number): ChangesAnswer['changes'][number] => {
    const status = lives[Math.floor(n / changing) % lives.length] ?? 'RUNNING';
    return {
      ...{ cursor: `${n + 1}`, kind: 'status', eventId: `event-${n}`, serviceType: 'vm', target: region },
      ...{ dcmId: `vm-${n % changing}`, status, message: `instance i-${n % changing} is ${status}` },
      time: timeOf(startedAtMs + (n * 1000) / changesPerSecond),
    };
  };
  const hourMs = 3_600_000;
  const resources = Array.from({ length: count }, (_, n) => ({
    ...{
      dcmId: `vm-${n}`,
      serviceType: 'vm' as const,
      target: region,
      resourceId: `i-${n}`,
      size: 't3.medium',
    },
    ...{ status: 'RUNNING', message: `instance i-${n} is running`, time: timeOf(startedAtMs - hourMs) },
    createdAt: timeOf(startedAtMs - hourMs - n * 1000),
    history: ['PENDING', 'RUNNING', 'STOPPING', 'STOPPED', 'PENDING', 'RUNNING'].map((status, index) => ({
      ...{ status, time: timeOf(startedAtMs - (7 - index) * hourMs) },
    })),
  }));
  const overview = (rows: number): Overview => ({
    ...{ provider: 'ec2-sp', version: '1.0.0', time: timeOf(Date.now()), cursor: `${begun()}` },
    targets: [
      {
        ...{ name: region, region, account: 'home', path: `/${region}`, mayWrite: true },
        listings: [{ serviceType: 'vm', mode: 'streaming', intervalSeconds: 60, resources: count }],
        providers: [{ serviceType: 'vm', name: 'ec2-sp', health: 'healthy' }],
      },
    ],
    counts: rows === 0 ? [] : [{ serviceType: 'vm', status: 'RUNNING', count }],
    ...{ countsAreComplete: rows > 0, resources: resources.slice(0, rows), problems: [] },
  });
  const changes = (after: number): ChangesAnswer => {
    const until = begun();
    const numbers = Array.from({ length: Math.max(until - after, 0) }, (_, n) => after + n);
    return { changes: numbers.map(change), next: `${until}`, pollAfterMs: 1000, complete: true };
  };
  const page = answeredPage(consolePage());
  return serve(({ url, headers }) => {
    const { pathname, searchParams } = new URL(url);
    if (pathname === consolePath) return page(headers.get('accept-encoding') ?? '');
    if (pathname === overviewPath) return Response.json(overview(Number(searchParams.get('rows'))));
    if (pathname === changesPath) return Response.json(changes(Number(searchParams.get('after'))));
    return Response.json({ detail: 'not found' }, { status: 404 });
  });
};

const Metrics = z.object({ metrics: z.array(z.object({ name: z.string(), value: z.number() })) });

/**
 * The share of a processor that the main thread of a page takes, which does not depend on what else the machine does.
 * @throws where the page does not show what it should.
 */
const busyShare = async (browser: Browser, count: number): Promise<number> => {
  await using api = await startApi(count);
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  await page.addInitScript("sessionStorage.setItem('token', 'bench')");
  await page.goto(`${api.url}${consolePath}`);
  await page.getByText(/^live · /).waitFor({ timeout: timeoutMs });
  const others = page.getByRole('button', { name: /^Load the other/ });
  if ((await others.count()) > 0) await others.click();
  await page.getByText(`${count} VMs`).first().waitFor({ timeout: timeoutMs });
  await sleep(settleMs);
  const session = await context.newCDPSession(page);
  await session.send('Performance.enable');
  const read = async () => {
    const { metrics } = Metrics.parse(await session.send('Performance.getMetrics'));
    const of = (wanted: string) => metrics.find(({ name }) => name === wanted)?.value ?? Number.NaN;
    return { busy: of('ThreadTime'), at: of('Timestamp') };
  };
  const before = await read();
  await sleep(measuredMs);
  const after = await read();
  const seen = await page.locator('.tail li').count();
  await context.close();
  if (seen < changing) throw new Error(`The page with ${count} VMs shows ${seen} changes.`);
  return (after.busy - before.busy) / (after.at - before.at);
};

/** Of 1,000 VMs to 10 VMs with the same changes; the two take turns. */
const busyRatio = async (browser: Browser): Promise<number> => {
  const ratios: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const few = await busyShare(browser, 10);
    const many = await busyShare(browser, 1_000);
    process.stderr.write(`console: main thread busy with 10 VMs ${few}, with 1,000 ${many}\n`);
    ratios.push(many / few);
  }
  return median(ratios);
};
