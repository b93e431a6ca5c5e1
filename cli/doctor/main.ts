import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { reasonOf } from '../../shared/core/errors.ts';
import { findingsOf, lineOf, onAws, onThisMachine } from './deployment.ts';

const folder = fileURLToPath(new URL('../..', import.meta.url));

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'; // Node 20 is supported

type Flags = { readonly settings?: string; readonly target?: string; readonly local?: true };

const command = new Command('npm run doctor --')
  .description(
    'Reports what is missing between DCM and the deployed provider, and what to do. Changes nothing.',
  )
  .option('--settings <file>', 'settings file of the deployment (default: settings.json)')
  .option('--target <target>', 'examine one target alone, such as eu-west-1 or prod/eu-west-1')
  .option('--local', 'examine what `npm start` runs on this machine')
  .addHelpText(
    'after',
    '\nExit code: 0 nothing is wrong, 1 something is wrong, 2 the deployment could not be examined.',
  );

const run = async ({ local, settings, target }: Flags): Promise<void> => {
  const findings = await findingsOf(local ? onThisMachine(folder) : onAws(settings, folder), target);
  for (const finding of findings) process.stdout.write(lineOf(finding));
  if (findings.some(({ isWrong }) => isWrong)) process.exitCode = 1;
};

try {
  await run(command.parse().opts<Flags>());
} catch (error) {
  process.stderr.write(`npm run doctor: ${reasonOf(error)}\n`);
  process.exitCode = 2;
}
