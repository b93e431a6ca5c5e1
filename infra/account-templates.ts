import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { SettingsError } from '../shared/core/errors.ts';
import { accountsOf } from './settings/accounts.ts';
import type { Settings } from './settings/settings.ts';
import { AccountStack } from './stacks/account-stack.ts';

/** The template of an account besides the home account. */
export type AccountTemplate = {
  readonly alias: string;
  /** JSON, of at most 51,200 bytes. */
  readonly body: string;
  /** What an operator should know of it. */
  readonly warnings: readonly string[];
};

/** Where `npm run synth` and `npm run deploy` write it, relative to the project. */
export const accountTemplateFile = ({ alias }: Pick<AccountTemplate, 'alias'>): string =>
  `cdk.out/accounts/${alias}.template.json`;

/** What a StackSet, and a call of CloudFormation without S3, accepts. @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
const limitBytes = 51_200;

/**
 * The template of each account, from an app of their own: in the app of the stacks, `cdk deploy --all` would try to deploy them with the
 * credentials of the home account. `check` gets that app before its synthesis.
 * @throws SettingsError if CloudFormation would refuse a template.
 */
export const accountTemplates = (settings: Settings, check: (app: App) => void): AccountTemplate[] => {
  const accounts = accountsOf(settings);
  if (accounts.length === 0) return [];
  const outdir = mkdtempSync(join(tmpdir(), 'dcm-accounts-'));
  try {
    const app = new App({ outdir, analyticsReporting: false, treeMetadata: false });
    check(app);
    const stacks = accounts.map(([alias, account]) => ({
      alias,
      name: new AccountStack(app, `Account-${alias}`, { settings, alias, account }).artifactId,
    }));
    const assembly = app.synth();
    return stacks.map(({ alias, name }) => {
      const { template, messages } = assembly.getStackArtifact(name);
      const body = JSON.stringify(template);
      const bytes = Buffer.byteLength(body);
      if (bytes > limitBytes)
        throw new SettingsError(
          `The settings make a template of ${bytes} bytes for the account ${alias}, and CloudFormation accepts ${limitBytes}: configure fewer regions, subnets or security groups under accounts.${alias}.`,
        );
      return {
        alias,
        body,
        warnings: messages.flatMap(({ level, entry }) =>
          level === 'warning' ? String(entry.data).replace(/ \[ack: .*\]$/, '') : [],
        ),
      };
    });
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
};
