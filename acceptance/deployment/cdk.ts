import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import type { Settings } from '../../infra/settings/settings.ts';
import { run } from '../../local/processes/installing.ts';
import { UpstreamError } from '../../shared/core/errors.ts';
import { account, provider } from '../names.ts';

type Cdk = {
  /** Where the AWS emulator answers. */
  readonly url: string;
  /** For the settings, the cloud assembly and the outputs. */
  readonly folder: string;
  /** Receives the output of the CDK's command. */
  readonly log: (line: string) => void;
};

type Deployment = {
  readonly settings: z.input<typeof Settings>;
  /** Variables that every function gets in addition. */
  readonly environment: Readonly<Record<string, string>>;
};

const HomeRegionOutputs = z.object({
  FleetTableName: z.string(),
  ProviderApiUrl: z.url(),
  RegistrationOutcome: z.string(),
});
export type Outputs = z.infer<typeof HomeRegionOutputs>;

const root = fileURLToPath(new URL('../..', import.meta.url));
const homeStack = `dcm-${provider}`;
const app = 'node --import tsx acceptance/deployment/app.ts';

/** The CDK's own command, as an operator uses it, with the emulator as its AWS. */
export const cdk = ({ url, folder, log }: Cdk) => {
  const output: string[] = [];
  const execute = async (...args: string[]): Promise<void> => {
    output.splice(0);
    const done = await run(['npx', 'cdk', ...args, '--no-notices', '--ci'], {
      cwd: root,
      env: {
        PATH: process.env.PATH,
        HOME: folder, // nothing of the user's own AWS configuration
        NODE_NO_WARNINGS: '1',
        CDK_DISABLE_CLI_TELEMETRY: '1',
        AWS_ENDPOINT_URL: url,
        AWS_ACCESS_KEY_ID: account,
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_REGION: 'us-east-1',
      },
      log: (line) => {
        output.push(line);
        log(line);
      },
    });
    if (!done) throw new UpstreamError(`cdk ${args[0]} failed: ${failuresIn(output).slice(0, 8).join('\n')}`);
  };
  const assembly = join(folder, 'cdk.out');
  const outputsFile = join(folder, 'outputs.json');
  const synthesized = ['--app', assembly];

  return {
    /** Writes the cloud assembly that the other commands take. @throws UpstreamError with what is wrong */
    synth: async ({ settings, environment }: Deployment): Promise<void> => {
      const settingsFile = join(folder, 'settings.json');
      await writeFile(settingsFile, JSON.stringify(settings));
      const context = [`settings=${settingsFile}`, `environment=${JSON.stringify(environment)}`];
      const contextArguments = context.flatMap((entry) => ['--context', entry]);
      await execute('synth', '--quiet', '--app', app, '--output', assembly, ...contextArguments);
    },
    bootstrap: (regions: readonly string[]): Promise<void> =>
      execute('bootstrap', ...regions.map((region) => `aws://${account}/${region}`), ...synthesized),
    /** Deploys all stacks; answers the outputs of the home region's. @throws UpstreamError with what failed */
    deploy: async (): Promise<Outputs> => {
      const quietly = ['--require-approval', 'never', '--concurrency', '2'];
      await execute('deploy', '--all', ...quietly, '--outputs-file', outputsFile, ...synthesized);
      const byStack = z
        .record(z.string(), z.unknown())
        .parse(JSON.parse(await readFile(outputsFile, 'utf8')));
      return HomeRegionOutputs.parse(byStack[homeStack]);
    },
    destroy: (): Promise<void> => execute('destroy', '--all', '--force', ...synthesized),
  };
};

const failuresIn = (output: readonly string[]): string[] => {
  const failures = output.filter((line) => /FAILED|[Ee]rror|❌|denied/.test(line));
  return failures.length > 0 ? failures : output.slice(-12);
};
