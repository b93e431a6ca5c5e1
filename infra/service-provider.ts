import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type App, AssetHashType, DockerImage, Validations } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { AwsSolutionsChecks } from 'cdk-nag';
import type { Construct } from 'constructs';
import { type AccountTemplate, accountTemplates } from './account-templates.ts';
import type { CodeOf } from './constructs/function-defaults.ts';
import { checkEnvironments } from './environment-limit.ts';
import { bundleFolder } from './project-folder.ts';
import type { Settings } from './settings/settings.ts';
import { HomeRegionStack } from './stacks/home-region-stack.ts';
import { StreamingRegionStack } from './stacks/streaming-region-stack.ts';

export type ServiceProvider = {
  readonly home: HomeRegionStack;
  readonly streaming: readonly StreamingRegionStack[];
  /** The templates for the accounts besides the home account. */
  readonly accounts: readonly AccountTemplate[];
};

const bundleOf: CodeOf = (box, files) =>
  files === undefined
    ? Code.fromAsset(bundleFolder(box))
    : Code.fromAsset(bundleFolder(box), {
        assetHashType: AssetHashType.OUTPUT,
        bundling: {
          image: DockerImage.fromRegistry('none'), // required, and never used: the files are put there without Docker
          local: {
            tryBundle: (folder) => {
              cpSync(bundleFolder(box), folder, { recursive: true });
              for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
              return true;
            },
          },
        },
      });

/**
 * All stacks, checked by cdk-nag. The bundles must exist, unless `codeOf` gets the code from elsewhere.
 * @throws SettingsError if the settings make an environment that Lambda refuses, or a policy or template that AWS refuses.
 */
export const serviceProvider = (app: App, settings: Settings, codeOf = bundleOf): ServiceProvider => {
  const check = (checked: App) => Validations.of(checked).addPlugins(new AwsSolutionsChecks(checked));
  check(app);
  return stacksOf(app, settings, codeOf, check);
};

/**
 * All stacks without cdk-nag: for an emulator, since the adapted templates would not pass its rules, and for an app that has its own checks.
 * @throws SettingsError as serviceProvider does.
 */
export const stacksOf = (
  scope: Construct,
  settings: Settings,
  codeOf = bundleOf,
  check: (app: App) => void = () => {},
): ServiceProvider => {
  const accounts = accountTemplates(settings, check);
  const home = new HomeRegionStack(scope, 'HomeRegion', { settings, codeOf, accounts });
  const streaming = settings.streamingRegions.map(
    (region) => new StreamingRegionStack(scope, `StreamingRegion-${region}`, { settings, region }),
  );
  checkEnvironments(scope);
  return { home, streaming, accounts };
};
