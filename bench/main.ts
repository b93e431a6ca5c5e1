import { writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { reasonOf } from '../shared/core/errors.ts';
import { accounts } from './accounts.ts';
import { agentLookups } from './agent-lookups.ts';
import { bridge } from './bridge.ts';
import { bundles } from './bundles.ts';
import { cli } from './cli.ts';
import { console } from './console.ts';
import { containers } from './containers.ts';
import { creates } from './creates.ts';
import { eventCosts } from './event-costs.ts';
import { type Figures, rowsOf } from './figures.ts';
import { healing } from './healing.ts';
import { inventory } from './inventory.ts';
import { normaliser } from './normaliser.ts';
import { polling } from './polling.ts';
import { providerApi } from './provider-api.ts';
import { queue } from './queue.ts';
import { markdownTable, textTable, writeTable } from './report.ts';
import { start } from './start.ts';

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'; // not a part of the table

/** Run one after the other. */
const sections: Readonly<Record<string, () => Promise<Figures>>> = {
  bridge,
  normaliser,
  queue,
  'event-costs': eventCosts,
  polling,
  accounts,
  inventory,
  healing,
  containers,
  'provider-api': async () => ({
    ...(await providerApi()),
    ...(await creates()),
    ...(await agentLookups()),
  }),
  bundles,
  cli,
  console,
  start,
};

type Flags = { readonly json?: string; readonly readme?: true; readonly only?: readonly string[] };

const command = new Command('npm run bench --')
  .description(
    'Measures the provider on this machine. Ends with 1 where a bound is missed or a section fails.',
  )
  .option('--json <file>', 'write the figures as one flat object')
  .addOption(new Option('--readme', 'rewrite the table of figures in README.md').conflicts('only'))
  .addOption(
    new Option('--only <section...>', 'measure nothing else; may be given again').choices(
      Object.keys(sections),
    ),
  );

const run = async ({ json, readme, only = Object.keys(sections) }: Flags): Promise<void> => {
  const figures: Figures = {};
  for (const [name, measure] of Object.entries(sections)) {
    if (!only.includes(name)) continue;
    process.stderr.write(`measuring: ${name}\n`);
    try {
      Object.assign(figures, await measure());
    } catch (error) {
      process.stderr.write(`${name} failed: ${reasonOf(error)}\n`);
      process.exitCode = 1;
    }
  }
  const rows = rowsOf(figures);
  process.stdout.write(`${textTable(rows)}\n`);
  if (json) await writeFile(json, `${JSON.stringify(figures, null, 2)}\n`);
  if (readme && process.exitCode !== 1)
    await writeTable(new URL('../README.md', import.meta.url), markdownTable(rows));
  if (rows.some(({ met }) => !met)) process.exitCode = 1;
};

try {
  await run(command.parse().opts<Flags>());
} catch (error) {
  process.stderr.write(`npm run bench: ${reasonOf(error)}\n`);
  process.exitCode = 1;
}
