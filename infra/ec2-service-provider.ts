import type { Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type * as z from 'zod';
import cdkJson from '../cdk.json' with { type: 'json' };
import type { AccountTemplate } from './account-templates.ts';
import { stacksOf } from './service-provider.ts';
import { parseSettings } from './settings/load-settings.ts';
import type { Settings } from './settings/settings.ts';

/**
 * The stacks of the provider in an app of your own: the same templates as `ec2sp deploy` makes of the same settings. The stacks have their own
 * names (`dcm-<provider>`) and regions wherever the construct is. Your app's checks, such as cdk-nag, see them. A deployment by `ec2sp deploy`
 * cannot go on by this construct, nor the other way round: the logical ids of the event source mappings contain the path of the construct, and
 * Lambda refuses a second mapping of the same queue.
 */
export class Ec2ServiceProvider extends Construct {
  readonly home: Stack;
  readonly streaming: readonly Stack[];
  /** The templates for the accounts besides the home account. */
  readonly accounts: readonly AccountTemplate[];

  /**
   * `settings`: as settings.json has them.
   * @throws SettingsError if a setting is wrong; its message names the setting.
   */
  constructor(scope: Construct, id: string, settings: z.input<typeof Settings>) {
    super(scope, id);
    // Feature flags change templates, and an app of another age has other flags.
    for (const [flag, value] of Object.entries(cdkJson.context)) this.node.setContext(flag, value);
    const { home, streaming, accounts } = stacksOf(
      this,
      parseSettings(settings, process.env.CDK_DEFAULT_ACCOUNT),
    );
    this.home = home;
    this.streaming = streaming;
    this.accounts = accounts;
  }
}
