import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { startStack } from '../local/stack/start-stack.ts';
import { findChromium, howToGetChromium } from '../test/e2e/browser.ts';

const image = fileURLToPath(new URL('../docs/console.png', import.meta.url));

const launch = async (page: Page, type: string, id: string): Promise<void> => {
  await page.getByRole('button', { name: /^Launch n/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Launch' });
  await dialog.getByRole('radio', { name: type, exact: true }).check();
  await dialog.getByLabel('Id').fill(id);
  await dialog.getByRole('button', { name: `Launch ${id}` }).click();
  await page.locator('aside.drawer', { hasText: id }).waitFor();
};

const press = async (
  page: Page,
  id: string,
  [button, confirmed]: readonly [string, string],
): Promise<void> => {
  await page.locator('tbody').getByRole('button', { name: id, exact: true }).click();
  await page.locator('aside.drawer').getByRole('button', { name: button, exact: true }).click();
  await page.getByRole('button', { name: `${confirmed}${id}`, exact: true }).click();
};

/** Writes docs/console.png: the console of a local stack with a few resources, of which one fails. */
const screenshot = async (): Promise<void> => {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error(howToGetChromium);
  const folder = await mkdtemp(join(tmpdir(), 'ec2-sp-'));
  const nothing = () => undefined;
  await using _stack = await startStack({ folder, log: nothing, progress: nothing });
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const page = await browser.newPage({ viewport: { width: 1440, height: 960 }, deviceScaleFactor: 2 });
  await page.goto(_stack.endpoints.consoleUrl);
  await page.getByText(/^live · /).waitFor();
  for (const [type, id] of [
    ['VM', 'db-1'],
    ['VM', 'web-1'],
    ['VM', 'web-2'],
    ['container', 'shop-1'],
    ['cluster', 'kube-1'],
  ] as const)
    await launch(page, type, id);
  await page.waitForTimeout(6_000);
  const kill = 'Kill it, as a broken host does';
  await press(page, 'db-1', [kill, `${kill}: `]);
  await press(page, 'web-2', ['stop', 'Stop ']);
  await page.waitForTimeout(9_000);
  await page.locator('tbody').getByRole('button', { name: 'web-2', exact: true }).click();
  await page.mouse.move(0, 0);
  await page.waitForTimeout(1_500);
  await page.screenshot({ path: image });
  await browser.close();
  await rm(folder, { recursive: true, force: true });
};

await screenshot();
