import { partitionOf, regionOfZone } from '../shared/adapters/aws/regions.ts';
import { type Contradiction, ofApi, ofControlPlane, ofProvisioning } from './provisioning-contradictions.ts';
import { ofAgents } from './settings/agent-contradictions.ts';
import type { Settings } from './settings.ts';

/** Settings that are right alone and wrong together: which one, and what it must be. */
export const contradictions = (settings: Settings): Contradiction[] => [
  ...ofRegions(settings),
  ...ofNats(settings),
  ...ofAlarms(settings),
  ...ofProvisioning(settings),
  ...ofApi(settings),
  ...ofAgents(settings),
  ...ofControlPlane(settings),
];

function* ofRegions({ homeRegion, streamingRegions, legacyRegions }: Settings): Iterable<Contradiction> {
  yield* ofOtherRegions('streamingRegions', streamingRegions, homeRegion);
  yield* ofOtherRegions('legacyRegions', legacyRegions, homeRegion);
  const both = legacyRegions.find((region) => streamingRegions.includes(region));
  if (both !== undefined) yield ['legacyRegions', `must not list ${both}, a streaming region`];
}

function* ofOtherRegions(
  setting: string,
  regions: readonly string[],
  homeRegion: string,
): Iterable<Contradiction> {
  if (regions.includes(homeRegion)) yield [setting, `must not list ${homeRegion}, the home region`];
  if (new Set(regions).size < regions.length) yield [setting, 'must list each region once'];
  if (regions.some((region) => partitionOf(region).name !== partitionOf(homeRegion).name))
    yield [setting, `must list regions of the same AWS partition as ${homeRegion}`];
}

function* ofNats({ homeRegion, nats: { credentialsSecret, vpc } }: Settings): Iterable<Contradiction> {
  if (vpc && vpc.availabilityZones.length !== vpc.subnetIds.length)
    yield ['nats.vpc.availabilityZones', 'must list one zone for each of nats.vpc.subnetIds'];
  if (vpc?.availabilityZones.some((zone) => regionOfZone(zone) !== homeRegion))
    yield ['nats.vpc.availabilityZones', `must list zones of ${homeRegion}, the home region`];
  if (vpc?.secretsManagerEndpoint === 'create' && credentialsSecret === undefined)
    yield ['nats.vpc.secretsManagerEndpoint', 'must be "existing" where there is no secret to read'];
}

function* ofAlarms({ homeRegion, alarms: { emailOrTopicArn } }: Settings): Iterable<Contradiction> {
  const topicRegion = emailOrTopicArn?.startsWith('arn:') ? emailOrTopicArn.split(':')[3] : undefined;
  if (topicRegion !== undefined && topicRegion !== homeRegion)
    yield ['alarms.emailOrTopicArn', `must be a topic in ${homeRegion}, the home region`];
}
