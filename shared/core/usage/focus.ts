import { usualPlatform } from '../outputs.ts';
import { type Accounts, targetOfKey } from '../target.ts';
import { type Charge, evidenceOf } from './charges.ts';
import { beginOf, monthAfter, monthOf } from './month.ts';

/** The price of an instance type in a region, for an hour, as a decimal number in text. */
export type Price = {
  readonly region: string;
  readonly instanceType: string;
  /** As EC2's `PlatformDetails`. */
  readonly platform: string;
  /** @default 'on-demand' */
  readonly market?: 'on-demand' | 'spot' | undefined;
  readonly hourly: string;
};

export type Billing = {
  /** Who offers the VMs to their users, and sends the invoice. */
  readonly platformName: string;
  readonly billingAccountId: string;
  readonly billingAccountName?: string | undefined;
  /** ISO 4217, of all prices. */
  readonly currency: string;
  readonly prices: readonly Price[];
};

/** A charge as FOCUS has it: of a month that was open, or a correction in a later one. */
export type FocusCharge = Charge & {
  /** The first second of the month that it is billed in. */
  readonly billedIn: number;
  readonly isCorrection: boolean;
};

/**
 * The columns of FOCUS 1.2 in a row, FOCUS's own first, each in the order of the alphabet.
 * @see https://github.com/FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec (v1.2, columns)
 */
export const focusColumns = [
  ...['AvailabilityZone', 'BilledCost', 'BillingAccountId', 'BillingAccountName', 'BillingCurrency'],
  ...['BillingPeriodEnd', 'BillingPeriodStart', 'ChargeCategory', 'ChargeClass', 'ChargeDescription'],
  ...['ChargeFrequency', 'ChargePeriodEnd', 'ChargePeriodStart', 'ConsumedQuantity', 'ConsumedUnit'],
  ...['ContractedCost', 'ContractedUnitPrice', 'EffectiveCost', 'InvoiceId', 'InvoiceIssuerName', 'ListCost'],
  ...['ListUnitPrice', 'PricingCategory', 'PricingQuantity', 'PricingUnit', 'ProviderName'],
  ...['PublisherName', 'RegionId', 'RegionName', 'ResourceId', 'ResourceName', 'ResourceType'],
  ...['ServiceCategory', 'ServiceName', 'ServiceSubcategory', 'SkuId', 'SkuMeter', 'SkuPriceDetails'],
  ...['SkuPriceId', 'SubAccountId', 'SubAccountName', 'Tags', 'x_DcmVmId', 'x_Evidence', 'x_StopReason'],
] as const;
export type FocusColumn = (typeof focusColumns)[number];

/** Texts as a CSV file has them; an empty one is FOCUS's null. */
export type FocusRow = Readonly<Record<FocusColumn, string>>;

/** What is sold. */
const skuOf = ({ interval }: Charge): string =>
  [
    targetOfKey(interval.target).region,
    interval.size ?? 'unknown type',
    interval.platform ?? usualPlatform,
  ].join(':');

/** The price that a charge needs, in the words of the settings. */
export const priceOf = (charge: Charge): string => `${skuOf(charge)}:${marketOf(charge)}`;

const marketOf = ({ interval }: Charge): 'on-demand' | 'spot' => interval.market ?? 'on-demand';

/**
 * The row of a VM's charge. Undefined where its price is not configured: FOCUS forbids a zero in the place of a cost that is not known.
 * The cost is quantity times price, exactly; the quantity is rounded before.
 */
export const focusRowOf = (
  charge: FocusCharge,
  billing: Billing,
  accounts: Accounts,
): FocusRow | undefined => {
  const { interval, from, until, usedSeconds, billedSeconds, billedIn, isCorrection } = charge;
  const { region } = targetOfKey(interval.target);
  const { size, platform = usualPlatform, zone = '' } = interval;
  const price = billing.prices.find(
    (one) =>
      one.region === region &&
      one.instanceType === size &&
      one.platform === platform &&
      (one.market ?? 'on-demand') === marketOf(charge),
  );
  if (price === undefined || size === undefined) return undefined;
  const quantity = hoursOf(billedSeconds);
  const cost = times(quantity, price.hourly);
  const unitPrice = withPoint(price.hourly);
  const id = skuOf(charge);
  const isSpot = marketOf(charge) === 'spot';
  const alias = Object.entries(accounts).find(([, one]) => one.id === interval.account)?.[0];
  return {
    AvailabilityZone: zone,
    ...{ BilledCost: cost, EffectiveCost: cost, ListCost: cost, ContractedCost: cost },
    BillingAccountId: billing.billingAccountId,
    BillingAccountName: billing.billingAccountName ?? '',
    BillingCurrency: billing.currency,
    BillingPeriodStart: timeOf(billedIn),
    BillingPeriodEnd: timeOf(beginOf(monthAfter(monthOf(billedIn)))),
    ChargeCategory: 'Usage',
    ChargeClass: isCorrection ? 'Correction' : '',
    ChargeDescription: descriptionOf(charge),
    ChargeFrequency: 'Usage-Based',
    ChargePeriodStart: timeOf(from),
    ChargePeriodEnd: timeOf(until),
    ConsumedQuantity: `${usedSeconds}.0`,
    ConsumedUnit: 'Seconds',
    ...{ ListUnitPrice: unitPrice, ContractedUnitPrice: unitPrice },
    PricingCategory: isSpot ? 'Dynamic' : 'Standard',
    PricingQuantity: quantity,
    PricingUnit: 'Hours',
    ...{ ProviderName: billing.platformName, InvoiceIssuerName: billing.platformName },
    InvoiceId: '', // an estimate has no invoice
    PublisherName: 'Amazon Web Services',
    ...{ RegionId: region, RegionName: region },
    ...{ ResourceId: interval.resource, ResourceName: interval.dcmId, ResourceType: 'Virtual Machine' },
    ServiceCategory: 'Compute',
    ServiceName: 'Amazon Elastic Compute Cloud',
    ServiceSubcategory: 'Virtual Machines',
    SkuId: id,
    SkuMeter: 'Compute Usage',
    SkuPriceDetails: JSON.stringify({ InstanceType: size, OperatingSystem: platform }),
    SkuPriceId: `${id}:${isSpot ? 'Spot' : 'OnDemand'}`,
    SubAccountId: interval.account ?? '',
    ...{ SubAccountName: alias ?? interval.account ?? '', Tags: '' }, // FOCUS forbids an account without a name
    x_DcmVmId: interval.dcmId,
    x_Evidence: evidenceOf(interval),
    x_StopReason: isSpotEnd(interval.stopReason) ? 'spot' : (interval.stopReason ?? ''),
  };
};

const descriptionOf = ({ interval, usedSeconds, isCorrection }: FocusCharge): string =>
  isCorrection
    ? `${interval.dcmId} ran for ${usedSeconds} s more than was charged before, estimated at list price`
    : `${interval.dcmId} ran for ${usedSeconds} s, estimated at list price`;

const isSpotEnd = (reason = ''): boolean => /^(Server\.SpotInstance|spot-)/.test(reason);

const timeOf = (second: number): string => `${new Date(second * 1000).toISOString().slice(0, 19)}Z`;

const quantityPlaces = 10;

/** Hours to ten places, from whole seconds, without binary fractions. */
const hoursOf = (seconds: number): string => {
  const [sign, whole] = seconds < 0 ? ['-', -seconds] : ['', seconds];
  const scaled = (BigInt(whole) * 10n ** BigInt(quantityPlaces) + 1_800n) / 3_600n;
  return `${sign}${decimalOf(scaled, quantityPlaces)}`;
};

/** The exact product of two decimal numbers in text. */
const times = (one: string, other: string): string => {
  const [a, b] = [partsOf(one), partsOf(other)];
  const product = a.digits * b.digits;
  const sign = product < 0n ? '-' : '';
  return `${sign}${decimalOf(product < 0n ? -product : product, a.places + b.places)}`;
};

const partsOf = (text: string): { readonly digits: bigint; readonly places: number } => {
  const [whole = '', fraction = ''] = text.split('.');
  return { digits: BigInt(`${whole}${fraction}`), places: fraction.length };
};

/** With a point, always: without one, validators take a column of whole numbers for integers. */
const decimalOf = (digits: bigint, places: number): string => {
  const text = String(digits).padStart(places + 1, '0');
  return withPoint(`${text.slice(0, text.length - places)}.${text.slice(text.length - places)}`);
};

const withPoint = (decimal: string): string => {
  const [whole = '0', fraction = ''] = decimal.split('.');
  return `${whole}.${fraction.replace(/0+$/, '') || '0'}`;
};
