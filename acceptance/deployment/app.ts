import { App, Aspects } from 'aws-cdk-lib';
import * as z from 'zod';
import { bundleAll } from '../../infra/bundle.ts';
import { stacksOf } from '../../infra/service-provider.ts';
import { loadSettings } from '../../infra/settings/load-settings.ts';
import { adaptations } from './adaptations.ts';

/** The CDK app of the acceptance run: what infra/app.ts deploys, with what the emulator does not know taken out. */
const app = new App();
const { settings } = loadSettings({ settings: app.node.tryGetContext('settings') }, process.cwd());
const environment = z
  .record(z.string(), z.string())
  .parse(JSON.parse(String(app.node.tryGetContext('environment'))));
await bundleAll();
stacksOf(app, settings);
Aspects.of(app).add(adaptations(environment));
