import { App, type Stack } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { describe, expect, it } from 'vitest';
import { stacksOf } from '../../infra/service-provider.ts';
import { parseSettings } from '../../infra/settings/load-settings.ts';
import { TagKeys } from '../../shared/core/ownership.ts';
import { environmentOf, leastSettings, synthesized } from './synthesized.ts';

const withRegion = { ...leastSettings, streamingRegions: ['us-east-1'] };
const stacksWith = (settings: object): Stack[] => {
  const { home, streaming } = stacksOf(new App(), parseSettings(settings), () => Code.fromInline('//'));
  return [home, ...streaming];
};

describe('every stack', () => {
  it('is protected against deletion by default', () => {
    expect(stacksWith(withRegion).map((stack) => stack.terminationProtection)).toEqual([true, true]);
  });

  it('can be deleted, like the table, if the settings say so', () => {
    const settings = { ...withRegion, deletionProtection: false };

    expect(stacksWith(settings).map((stack) => stack.terminationProtection)).toEqual([false, false]);
    synthesized(settings).home.hasResourceProperties('AWS::DynamoDB::Table', {
      DeletionProtectionEnabled: false,
    });
  });

  it('has the tags of the settings, and TAG_KEYS of the functions does not', () => {
    const settings = { ...withRegion, tags: { stack: { 'cost-centre': '1234' } } };

    expect(stacksWith(settings).map((stack) => stack.tags.tagValues())).toEqual([
      { 'cost-centre': '1234' },
      { 'cost-centre': '1234' },
    ]);
    const { TAG_KEYS } = environmentOf(synthesized(settings).home, 'ec2-sp-normaliser');
    expect(JSON.parse(String(TAG_KEYS))).toEqual(TagKeys.parse({}));
  });
});
