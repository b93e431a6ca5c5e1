import * as z from 'zod';
import { usualPlatform } from '../../shared/core/outputs.ts';
import { region, text } from './setting-kinds.ts';
import type { Settings } from './settings.ts';

const Price = z.strictObject({
  region: region.describe('The region of the instances.'),
  instanceType: text(/^[a-z0-9-]+\.[a-z0-9-]+$/, 'must be an instance type, such as t3.medium').describe(
    'The instance type.',
  ),
  platform: z
    .string()
    .min(1)
    .default(usualPlatform)
    .describe('The platform, as EC2’s `PlatformDetails` has it.'),
  market: z
    .enum(['on-demand', 'spot'], 'must be on-demand or spot')
    .default('on-demand')
    .describe('Whether it is the price on demand, or the one that a spot instance is charged at.'),
  hourly: text(/^\d{1,6}(\.\d{1,10})?$/, 'must be a decimal number in quotes, such as "0.0456"').describe(
    'The price of an hour.',
  ),
});

/** The usage ledger, and the prices with which it is exported. */
export const Usage = z.strictObject({
  billingAccountId: text(/^.{1,64}$/, 'must have 1 to 64 characters')
    .optional()
    .describe('Whom FOCUS names as the account that is charged. Required with `prices`.'),
  billingAccountName: z.string().min(1).optional().describe('The name of that account.'),
  platformName: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Whom FOCUS names as the provider of the VMs and the issuer of the invoice. Default: `provider.name`.',
    ),
  currency: z
    .string()
    .refine(
      (code) => Intl.supportedValuesOf('currency').includes(code),
      'must be a currency of ISO 4217, such as EUR',
    )
    .default('USD')
    .describe('The currency of all prices, by ISO 4217.'),
  prices: z
    .array(Price)
    .default([])
    .describe(
      'The prices of instance types, as `{ "region": "eu-west-1", "instanceType": "t3.medium", "platform": "Linux/UNIX", "hourly": "0.0456" }`. Without them, usage is not exported as FOCUS.',
    ),
});
export type UsageSettings = z.infer<typeof Usage>;

/** Settings with which there is a usage ledger. */
export type SettingsWithUsage = Settings & { readonly usage: UsageSettings };

export const hasUsage = (settings: Settings): settings is SettingsWithUsage => settings.usage !== undefined;
