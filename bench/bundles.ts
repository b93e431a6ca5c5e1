import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Metafile } from 'esbuild';
import { usagePricesFile } from '../functions/provider-api/env.ts';
import { bundle } from '../infra/bundle.ts';
import type { FunctionName } from '../infra/function-names.ts';
import { functionNameOf } from '../infra/functions.ts';
import { bundleFolder } from '../infra/project-folder.ts';
import { settingsOf, variables } from '../local/emulators/lambda/lambda-function.ts';
import { localFunctions } from '../local/stack/functions.ts';
import { provider } from '../local/stack/options.ts';
import type { Figures } from './figures.ts';
import { median } from './measure.ts';

const imports = 11;

/** What a cold start of each function has to load, and how long a new process takes to do so. */
export const bundles = async (): Promise<Figures> => {
  const kibOf = async (name: FunctionName) => coldStartBytes(await bundle(name), name) / 1024;
  const [bridgeKib, normaliserKib] = [await kibOf('nats-bridge'), await kibOf('normaliser')];
  const providerApi = await bundle('provider-api');

  const bridgeMs: number[] = [];
  const normaliserMs: number[] = [];
  for (let turn = 0; turn < imports; turn++) {
    bridgeMs.push(await importMs('nats-bridge'));
    normaliserMs.push(await importMs('normaliser'));
  }
  return {
    bundle_kb_nats_bridge: bridgeKib,
    bundle_kb_normaliser: normaliserKib,
    bundle_kb_provider_api: codeBytes(providerApi) / 1024,
    bundle_kb_provider_api_cold: coldStartBytes(providerApi, 'provider-api') / 1024,
    bundle_kb_inventory_api: await kibOf('inventory-api'),
    bundle_kb_inventory: await kibOf('inventory'),
    import_ms_nats_bridge: median(bridgeMs),
    import_ms_normaliser: median(normaliserMs),
  };
};

/** The entry point and all that it imports statically: what is behind an `import()` is loaded when it is needed, if ever. */
const coldStartBytes = ({ outputs }: Metafile, name: FunctionName): number => {
  const entry = Object.keys(outputs).find(
    (path) => outputs[path]?.entryPoint !== undefined && path.endsWith('index.mjs'),
  );
  if (entry === undefined) throw new Error(`The bundle of ${name} has no index.mjs.`);
  const loaded = new Set([entry]);
  for (const path of loaded) {
    for (const { kind, path: imported, external } of outputs[path]?.imports ?? [])
      if (kind === 'import-statement' && !external) loaded.add(imported);
  }
  return [...loaded].reduce((bytes, path) => bytes + (outputs[path]?.bytes ?? 0), 0);
};

const codeBytes = ({ outputs }: Metafile): number =>
  Object.entries(outputs).reduce((sum, [path, { bytes }]) => sum + (path.endsWith('.mjs') ? bytes : 0), 0);

const run = promisify(execFile);

/** Of a process with the environment that the function has on a laptop, which is AWS's but for the endpoints. */
const importMs = async (name: FunctionName): Promise<number> => {
  const url = pathToFileURL(join(bundleFolder(name), 'index.mjs'));
  const script = `const t = performance.now(); await import('${url}'); console.log(performance.now() - t); process.exit()`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
    env: environmentOf(name),
  });
  return Number(stdout);
};

const nowhere = 'http://127.0.0.1:9';
const functions = localFunctions({
  natsUrl: nowhere,
  lambdaUrl: nowhere,
  providerApiUrl: nowhere,
  dcm: { registryUrl: nowhere, agent: undefined },
  secretsUrl: nowhere,
  writeFile: (name, content) => (name === usagePricesFile ? content : 'nowhere'),
  aws: {
    resourceTable: 'fleet',
    observationsQueueUrl: nowhere,
    deadLetterQueueUrl: nowhere,
    clusterStepsQueueUrl: nowhere,
    clusterStepsDeadLetterQueueUrl: nowhere,
    inventoryTable: 'inventory',
    inventoryQueueUrl: nowhere,
    inventoryDeadLetterQueueUrl: nowhere,
    changesQueueUrl: nowhere,
    changesDeadLetterQueueUrl: nowhere,
    usageTable: 'usage',
    usageQueueUrl: nowhere,
    usageDeadLetterQueueUrl: nowhere,
    events: { url: nowhere },
    dynamodbUrl: nowhere,
    sqsUrl: nowhere,
    ec2Url: nowhere,
    ecsUrl: nowhere,
    eksUrl: nowhere,
    elbUrl: nowhere,
    ssmUrl: nowhere,
    serviceQuotasUrl: nowhere,
  },
  options: {},
});

const environmentOf = (box: FunctionName): Record<string, string> => {
  const found = functions.find(({ name }) => name === functionNameOf(provider, box));
  if (found === undefined) throw new Error(`The laptop has no function ${box}.`);
  return variables(settingsOf(found), '127.0.0.1:9');
};
