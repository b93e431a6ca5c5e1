import type { Registries, Registry } from '../../../functions/registration/env.ts';
import { handleRequest } from '../../../functions/registration/handle-request.ts';
import type { Target } from '../../../shared/core/target.ts';
import type { ProviderRegistry, RegistrationAnswer } from '../../../shared/ports/provider-registry.ts';
import { memoryProviderRegistry } from '../../fakes/memory-provider-registry.ts';
import { memoryRegistrations } from '../../fakes/memory-registrations.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';

type Options = {
  readonly regions?: readonly string[];
  /** @default control-plane, for all regions */
  readonly kind?: Registry['kind'];
  readonly secret?: string;
  /** What DCM answers instead of registering the provider of this name. */
  readonly says?: (providerName: string) => RegistrationAnswer | undefined;
};

export const registriesOf = (regions: readonly string[], kind: Registry['kind']): Registries =>
  Object.fromEntries(
    regions.map((region) => [region, { kind, url: 'https://dcm.test', endpointCredentials: true }]),
  );

/** A registration of two regions with everything in memory, and a clock that the test moves. */
export const scriptedRegistration = ({
  regions = ['eu-west-1', 'us-east-1'],
  kind = 'control-plane',
  secret,
  says,
}: Options = {}) => {
  let seconds = 1_790_000_000;
  const now = () => seconds * 1000;
  const log = memoryLog();
  const meter = countingMeter();
  const dcm = memoryProviderRegistry(now);
  const registrations = memoryRegistrations();
  const republished: [region: string, at: number][] = [];
  const attempts: string[] = [];
  const registry: ProviderRegistry = {
    ...dcm,
    register: async (id, registration) => {
      attempts.push(registration.name);
      return says?.(registration.name) ?? dcm.register(id, registration);
    },
  };
  const listings = {
    requestRepublication: async ({ region }: Target, at: number) => void republished.push([region, at]),
  };
  const parts = {
    settings: {
      ...{ name: 'ec2-sp', homeRegion: 'eu-west-1', publicUrl: 'https://api.test' },
      registries: registriesOf(regions, kind),
    },
    secret: async () => secret,
    registryOf: () => registry,
    ...{ registrations, listings, now, log, meter },
  };
  return {
    ...{ parts, dcm, registrations, listings, republished, attempts, log, meter },
    now: () => seconds,
    pass: (more: number) => {
      seconds += more;
    },
    ask: handleRequest(parts),
    outcomeOf: async (name: string) => (await registrations.read([name])).get(name),
  };
};
