import { regionOfZone } from '../shared/adapters/aws/regions.ts';
import { regionNames } from './reported-regions.ts';
import type { Settings } from './settings.ts';

export type Contradiction = readonly [setting: string, must: string];

export function* ofProvisioning(settings: Settings): Iterable<Contradiction> {
  const { provisioning, api } = settings;
  if (provisioning === undefined) return;
  for (const [region, { subnets, kmsKeyId }] of Object.entries(provisioning.regions)) {
    const setting = `provisioning.regions.${region}`;
    if (!regionNames(settings).includes(region))
      yield [setting, 'must be a region that is reported: the home region, a streaming or a legacy one'];
    if (subnets.some(({ zone }) => regionOfZone(zone) !== region))
      yield [`${setting}.subnets`, `must be in zones of ${region}`];
    if (kmsKeyId !== undefined && kmsKeyId.split(':')[3] !== region)
      yield [`${setting}.kmsKeyId`, `must be a key in ${region}`];
  }
  if (api === undefined) yield ['api', 'must be there to create VMs: it says who may ask for them'];
}

export function* ofApi({ provisioning, api }: Settings): Iterable<Contradiction> {
  if (api === undefined) return;
  if (provisioning === undefined) yield ['api', 'must be left out where there is no provisioning'];
  if (api.tokenSecret === undefined && api.jwt === undefined)
    yield ['api', 'must have a tokenSecret or a jwt, or both: the API is never open'];
}

export function* ofControlPlane({
  provisioning,
  api,
  controlPlane,
  nats,
}: Settings): Iterable<Contradiction> {
  if (controlPlane === undefined) return;
  if (provisioning === undefined)
    yield ['controlPlane', 'must be left out where there is no provisioning: there is nothing to register'];
  if (controlPlane.endpointCredentials && api?.tokenSecret === undefined)
    yield ['controlPlane.endpointCredentials', 'must be false where there is no api.tokenSecret'];
  for (const setting of ['url', 'publicUrl'] as const)
    if (controlPlane.endpointCredentials && controlPlane[setting]?.startsWith('http:'))
      yield [
        `controlPlane.${setting}`,
        "must be https:// where controlPlane.endpointCredentials is true: the API's token is sent there",
      ];
  if (controlPlane.vpc && nats.vpc === undefined)
    yield ['controlPlane.vpc', 'must be false where there is no nats.vpc'];
}
