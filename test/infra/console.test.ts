import { brotliDecompressSync } from 'node:zlib';
import { Match } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import { ConsoleFile, consoleFile } from '../../functions/provider-api/env.ts';
import { bundleConsole } from '../../infra/bundle.ts';
import { contradictions } from '../../infra/settings/contradictions.ts';
import { Settings } from '../../infra/settings/settings.ts';
import {
  allowedBy,
  allTypes,
  environmentOf,
  inventory,
  leastSettings,
  provisioningSettings,
  synthesized,
} from './synthesized.ts';

beforeAll(bundleConsole);

const withConsole = { ...provisioningSettings, console: { readers: ['dcm/readers'] } };

const fileOf = ({ filesOf }: Pick<ReturnType<typeof synthesized>, 'filesOf'>) =>
  ConsoleFile.parse(JSON.parse(filesOf('provider-api')[consoleFile] ?? ''));

describe('the console', () => {
  it('brings the status bus and the change feed, without an inventory', () => {
    const { home } = synthesized(withConsole);

    home.hasResourceProperties('AWS::Events::EventBus', { Name: 'dcm-ec2-sp-status' });
    home.hasResourceProperties('AWS::Lambda::Function', { FunctionName: 'ec2-sp-change-feed' });
    home.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'ec2-sp-normaliser',
      Environment: { Variables: Match.objectLike({ STATUS_BUS: Match.anyValue() }) },
    });
    expect(JSON.stringify(home.toJSON())).not.toContain('inventory-api');
  });

  it('changes nothing of the table where an inventory is added later', () => {
    const tableIn = (settings: object) =>
      Object.keys(synthesized(settings).home.findResources('AWS::DynamoDB::Table')).sort();

    expect(tableIn({ ...withConsole, inventory })).toEqual(tableIn(withConsole));
  });

  it('is not there without its settings: no bus, no route, no variable', () => {
    const { home, filesOf } = synthesized(provisioningSettings);

    expect(JSON.stringify(home.toJSON())).not.toMatch(/CONSOLE|STATUS_BUS|\/console|overview/);
    expect(filesOf('provider-api')).not.toHaveProperty([consoleFile]);
  });

  it('gives the function its page, what is reported, and the secrets of readers', () => {
    const stack = synthesized({
      ...allTypes,
      legacyRegions: ['us-west-2'],
      console: { readers: ['dcm/readers'] },
      inventory,
    });
    const file = fileOf(stack);

    expect(environmentOf(stack.home, 'ec2-sp-provider-api')).toMatchObject({ CONSOLE_FILE: consoleFile });
    expect(file).toMatchObject({ readers: ['dcm/readers'] });
    expect(file.polled).toContainEqual({ region: 'us-west-2', kind: 'legacy', serviceType: 'vm' });
    expect(file.polled).toContainEqual({ region: 'eu-west-1', kind: 'legacy', serviceType: 'cluster' });
    expect(file.collections).toContain('volumes');
    expect(brotliDecompressSync(Buffer.from(file.page.brotli, 'base64')).toString()).toMatch(
      /^<!doctype html>/,
    );
  });

  it('allows no request but to its own origin, and has at most 60 KB on the wire', () => {
    const { page } = fileOf(synthesized(withConsole));

    expect(page.policy).toMatch(
      /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
    );
    expect(Buffer.from(page.brotli, 'base64').length).toBeLessThanOrEqual(60 * 1024);
  });

  it('lets the function read the feed, and write nothing of it', () => {
    const { home } = synthesized(withConsole);
    const ofFeed = allowedBy(home, 'ProviderApiRole').filter(({ Resource }) =>
      JSON.stringify(Resource).includes('InventoryTable'),
    );

    expect(ofFeed.flatMap(({ Action }) => Action).sort()).toEqual(['dynamodb:GetItem', 'dynamodb:Query']);
  });

  it('has throttles of its own, so that open pages do not take the rate of DCM’s requests', () => {
    const [stage] = Object.values(synthesized(withConsole).home.findResources('AWS::ApiGatewayV2::Stage'));

    for (const path of ['/console', '/api/v1alpha1/overview', '/api/v1alpha1/changes'])
      expect(stage?.Properties.RouteSettings).toHaveProperty([`GET ${path}`]);
  });

  it('refuses the token that creates and deletes as a token of readers', () => {
    const console = { readers: ['dcm/readers', provisioningSettings.api.tokenSecret] };
    const settings = Settings.parse({ ...leastSettings, ...provisioningSettings, console });

    expect(contradictions(settings)).toContainEqual([
      'console.readers[1]',
      'must differ from api.tokenSecret: who has a token that reads could create and delete with it',
    ]);
  });

  it('needs the provider’s API', () => {
    const settings = Settings.parse({ ...leastSettings, console: {} });

    expect(contradictions(settings).map(([setting]) => setting)).toContain('console');
  });
});
