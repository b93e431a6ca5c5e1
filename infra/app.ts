import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { SettingsError } from '../shared/core/errors.ts';
import { projectFolder } from './project-folder.ts';
import { serviceProvider } from './service-provider.ts';
import { loadSettings } from './settings/load-settings.ts';

const app = new App();
try {
  const context = {
    dcm: app.node.tryGetContext('dcm'),
    settings: app.node.tryGetContext('settings'),
    example: app.node.tryGetContext('example'),
    homeAccount: process.env.CDK_DEFAULT_ACCOUNT,
  };
  const { settings, areExample } = loadSettings(context, projectFolder);
  const { home, accounts } = serviceProvider(app, settings);
  const templates = join(app.outdir, 'accounts');
  rmSync(templates, { recursive: true, force: true });
  if (accounts.length > 0) mkdirSync(templates, { recursive: true });
  for (const { alias, body } of accounts) writeFileSync(join(templates, `${alias}.template.json`), body);
  if (areExample)
    Validations.of(home).addWarning(
      'dcm:example-settings',
      'These are the example settings. Write your own settings.json before you deploy (docs/deploy.md).',
    );
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
