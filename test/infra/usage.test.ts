import { Match } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { UsagePrices } from '../../functions/provider-api/env.ts';
import { Env } from '../../functions/usage/env.ts';
import { parseSettings } from '../../infra/settings/load-settings.ts';
import { refusalOf } from './refused.ts';
import {
  allowedBy,
  environmentOf,
  inventory,
  leastSettings,
  provisioningSettings,
  synthesized,
  textOf,
} from './synthesized.ts';

const price = { region: 'eu-west-1', instanceType: 't3.medium', hourly: '0.0456' };
const usage = { billingAccountId: '111111111111', prices: [price] };
const { app, home, filesOf } = synthesized({ ...provisioningSettings, usage });

const permissions = (role: string) =>
  allowedBy(home, role)
    .filter(({ Resource }) => Resource.map(textOf).join().includes('UsageTable'))
    .flatMap(({ Action }) => Action);

describe('usage in the settings', () => {
  it('adds the status bus and the ledger to a deployment, and changes nothing in one without it', () => {
    const { home: without } = synthesized(provisioningSettings);
    expect(JSON.stringify(without.toJSON())).not.toMatch(/usage|status-bus|StatusBus/i);

    const after = home.toJSON().Resources;
    for (const [logicalId, { Type }] of Object.entries<{ Type: string }>(without.toJSON().Resources))
      expect(after[logicalId]).toMatchObject({ Type });
    home.resourceCountIs('AWS::DynamoDB::Table', 2);
    expect(Object.keys(home.toJSON().Resources).join()).not.toMatch(/feed|inventory/i);
  });

  it('leaves the status bus of an inventory as it is', () => {
    const busOf = (settings: object) =>
      Object.entries(synthesized(settings).home.toJSON().Resources).filter(([logicalId]) =>
        logicalId.startsWith('StatusBus'),
      );
    const both = { ...provisioningSettings, inventory };

    expect(busOf({ ...both, usage })).toEqual(busOf(both));
  });

  it('passes cdk-nag', () => {
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  });

  it('has a function with exactly its variables, which adds to the ledger and removes nothing', () => {
    const variables = Object.keys(environmentOf(home, 'ec2-sp-usage'));

    expect(Object.keys(Env.shape).filter((name) => !variables.includes(name))).toEqual([]);
    expect(permissions('UsageRole')).toEqual(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query']);
    home.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: { source: ['dcm/providers/ec2-sp'] },
      EventBusName: { Ref: Match.stringLikeRegexp('^StatusBus') },
      Targets: [Match.objectLike({ DeadLetterConfig: Match.anyValue() })],
    });
    home.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 hour)',
      Targets: [Match.objectLike({ Input: '{"do":"carry"}' })],
    });
  });

  it('lets the provider-api read the ledger, with the prices in a file', () => {
    expect(permissions('ProviderApiRole')).toEqual(['dynamodb:GetItem', 'dynamodb:Query']);
    const { USAGE_PRICES: file } = environmentOf(home, 'ec2-sp-provider-api');
    expect(UsagePrices.parse(JSON.parse(filesOf('provider-api')[String(file)] ?? ''))).toEqual({
      ...{ platformName: 'ec2-sp', billingAccountId: '111111111111', currency: 'USD' },
      prices: [{ ...price, platform: 'Linux/UNIX', market: 'on-demand' }],
    });
  });

  it('keeps the ledger when the stack is deleted', () => {
    home.hasResource('AWS::DynamoDB::Table', {
      DeletionPolicy: 'Retain',
      Properties: { TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true } },
    });
  });

  it.each([
    [{ ...leastSettings, usage: {} }, 'usage'],
    [{ ...provisioningSettings, usage: { prices: [price] } }, 'usage.billingAccountId'],
    [{ ...provisioningSettings, usage: { ...usage, prices: [price, price] } }, 'usage.prices[1]'],
    [{ ...provisioningSettings, usage: { ...usage, prices: [{ ...price, hourly: '4 cents' }] } }, 'hourly'],
    [{ ...provisioningSettings, usage: { ...usage, currency: 'dollars' } }, 'usage.currency'],
    [{ ...provisioningSettings, usage: { ...usage, currency: 'USS' } }, 'usage.currency'],
  ])('refuses %j', (settings, setting) => {
    expect(refusalOf(() => parseSettings(settings))).toContain(setting);
  });
});
