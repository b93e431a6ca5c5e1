import { type App, Validations } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { AwsSolutionsChecks } from 'cdk-nag';
import { bundleFolder, type FunctionName } from './bundle.ts';
import { HomeRegionStack } from './home-region-stack.ts';
import type { Settings } from './settings.ts';
import { StreamingRegionStack } from './streaming-region-stack.ts';

export type ServiceProvider = {
  readonly home: HomeRegionStack;
  readonly streaming: readonly StreamingRegionStack[];
};

const bundleOf = (box: FunctionName): Code => Code.fromAsset(bundleFolder(box));

/** Everything that is deployed, checked against AWS's own advice. Bundles must be there, unless the code comes from elsewhere. */
export const serviceProvider = (app: App, settings: Settings, codeOf = bundleOf): ServiceProvider => {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return {
    home: new HomeRegionStack(app, 'HomeRegion', { settings, codeOf }),
    streaming: settings.streamingRegions.map(
      (region) => new StreamingRegionStack(app, `StreamingRegion-${region}`, { settings, region }),
    ),
  };
};
