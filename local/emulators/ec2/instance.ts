import { randomBytes } from 'node:crypto';
import type { Tags } from '../../../shared/core/ownership.ts';
import type { InstanceState, StateReason } from '../../../shared/service-types/vm/kind.ts';
import type { StatusCheck } from '../../../shared/service-types/vm/status-checks.ts';
import type { Faults } from './faults.ts';
import { stateReasons } from './lifecycle.ts';

/** The properties that all instances of one RunInstances call share. They do not change. */
export type Launch = {
  readonly reservationId: string;
  readonly imageId: string;
  readonly instanceType: string;
  readonly architecture: 'x86_64' | 'arm64';
  readonly windows: boolean;
  readonly availabilityZone: string;
  readonly vpcId: string;
  readonly subnetId: string;
  readonly securityGroupIds: readonly string[];
  readonly keyName: string | undefined;
  readonly spot: 'one-time' | 'persistent' | undefined;
  readonly hibernation: boolean;
  readonly publicAddress: boolean;
  readonly rootDevice: string;
  readonly devices: readonly Device[];
  readonly volumeTags: Tags;
  readonly metadata: {
    readonly HttpEndpoint: string;
    readonly HttpTokens: string;
    readonly HttpPutResponseHopLimit: number;
  };
  /** ARN of the instance profile. */
  readonly instanceProfile: string | undefined;
  readonly clientToken: string | undefined;
  /** The whole request, to compare it with another one that has the same client token. */
  readonly request: string;
};

export type Device = {
  readonly name: string;
  readonly deleteOnTermination: boolean;
  readonly gib: number;
  readonly volumeType: string;
  readonly encrypted: boolean;
  /** Undefined: an empty volume. */
  readonly snapshotId: string | undefined;
};

type Status = {
  readonly state: InstanceState;
  readonly reason: StateReason | undefined;
  /** Time of the last start. */
  readonly launchedAtMs: number;
};

export type SimulatedInstance = {
  readonly id: string;
  readonly region: string;
  /** Number of the instance in its region, from 1. */
  readonly number: number;
  readonly launch: Launch;
  /** Number of the instance in its launch, from 0. */
  readonly launchIndex: number;
  readonly publicIp: string | undefined;
  readonly disableApiTermination: boolean;
  /** The status check that the instance fails. */
  readonly impaired: { readonly check: StatusCheck; readonly sinceMs: number } | undefined;
  readonly retiresAtMs: number | undefined;
  readonly status: Timeline<Status>;
  readonly tags: Timeline<Tags>;
  readonly tagVersion: number;
};

type InitialProperty = 'region' | 'number' | 'launch' | 'launchIndex' | 'publicIp' | 'disableApiTermination';

/** A new instance, which is pending. */
export const newInstance = (
  created: Pick<SimulatedInstance, InitialProperty>,
  tags: Tags,
  atMs: number,
): SimulatedInstance => ({
  ...created,
  id: newId('i'),
  impaired: undefined,
  retiresAtMs: undefined,
  status: startTimeline({ state: 'pending', reason: stateReasons.launched, launchedAtMs: atMs }, atMs),
  tags: startTimeline(tags, atMs),
  tagVersion: 1,
});

type DescribedProperty =
  | 'id'
  | 'region'
  | 'number'
  | 'launch'
  | 'launchIndex'
  | 'publicIp'
  | 'impaired'
  | 'retiresAtMs';

/** An instance as Describe calls show it. */
export type DescribedInstance = Pick<SimulatedInstance, DescribedProperty> &
  Status & { readonly tags: Tags; readonly changedAtMs: number };

/**
 * What Describe calls show of an instance: with faults, an earlier state and earlier tags. The properties are copied one by one, because
 * for 100,000 instances that takes half as long (70 ms) as a spread.
 */
export const describedAt = (
  nowMs: number,
  { staleReadMs, tagLagMs }: Pick<Faults, 'staleReadMs' | 'tagLagMs'>,
  instance: SimulatedInstance,
): DescribedInstance => {
  const { value, atMs } = valueAt(instance.status, nowMs - staleReadMs) ?? earliest(instance.status);
  return {
    id: instance.id,
    region: instance.region,
    number: instance.number,
    launch: instance.launch,
    launchIndex: instance.launchIndex,
    publicIp: instance.publicIp,
    impaired: instance.impaired,
    retiresAtMs: instance.retiresAtMs,
    state: value.state,
    reason: value.reason,
    launchedAtMs: value.launchedAtMs,
    changedAtMs: atMs,
    tags: valueAt(instance.tags, nowMs - tagLagMs)?.value ?? {},
  };
};

/** The id of an instance's volume with this number: that of the instance, with the number as first digit. */
export const volumeId = (instanceId: string, index: number): string =>
  `vol-${index.toString(16)}${instanceId.slice(3)}`;

/** A new id in EC2's form: `i-0…` with 17 hexadecimal digits. */
export const newId = (prefix: string): string => `${prefix}-0${randomBytes(8).toString('hex')}`;

export const instanceArn = (
  { region, id }: Pick<SimulatedInstance, 'region' | 'id'>,
  account: string,
): string => `arn:aws:ec2:${region}:${account}:instance/${id}`;

type Numbered = Pick<DescribedInstance, 'number' | 'region' | 'state' | 'publicIp'>;

/** The addresses of an instance: the private one until it is terminated, the public one while it is pending or running. */
export const addressesOf = ({ number, region, state, publicIp }: Numbered) => {
  const privateIp = state === 'terminated' ? undefined : address('172.31', 16 * 256 + number);
  const shownPublicIp = state === 'pending' || state === 'running' ? publicIp : undefined;
  return {
    privateIp,
    privateDns: privateIp && `${dashed('ip', privateIp)}.${inside(region)}.internal`,
    publicIp: shownPublicIp,
    publicDns: shownPublicIp && `${dashed('ec2', shownPublicIp)}.${outside(region)}.amazonaws.com`,
  };
};

/** An address in 198.18.0.0/15, which is not routed on the internet. */
export const publicIp = (count: number): string => address('198.18', count);

const address = (network: string, host: number): string => `${network}.${(host >> 8) & 255}.${host & 255}`;
const dashed = (prefix: string, ip: string): string => `${prefix}-${ip.replaceAll('.', '-')}`;
const inside = (region: string): string => (region === 'us-east-1' ? 'ec2' : `${region}.compute`);
const outside = (region: string): string => (region === 'us-east-1' ? 'compute-1' : `${region}.compute`);

type Moment<Value> = { readonly value: Value; readonly atMs: number };

/** A value since `atMs`, and its earlier values, newest first. Describe calls can show an earlier value. */
export type Timeline<Value> = Moment<Value> & { readonly before: readonly Moment<Value>[] };

const maximumMoments = 16;

export const startTimeline = <Value>(value: Value, atMs: number): Timeline<Value> => ({
  value,
  atMs,
  before: [],
});

export const extendTimeline = <Value>(
  { before, ...last }: Timeline<Value>,
  value: Value,
  atMs: number,
): Timeline<Value> => ({ value, atMs, before: [last, ...before].slice(0, maximumMoments) });

/** The value at a time, and since when; undefined for a time before the earliest stored value. */
const valueAt = <Value>(timeline: Timeline<Value>, atMs: number): Moment<Value> | undefined =>
  timeline.atMs <= atMs ? timeline : timeline.before.find((moment) => moment.atMs <= atMs);

const earliest = <Value>(timeline: Timeline<Value>): Moment<Value> => timeline.before.at(-1) ?? timeline;
