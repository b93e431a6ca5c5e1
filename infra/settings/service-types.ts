import type { ServiceType } from '../../shared/core/kind.ts';

type Section = { readonly regions: Readonly<Record<string, unknown>> };

/** The sections of the settings that say what may be created, one for each service type. */
export type Sections = {
  readonly provisioning?: Section | undefined;
  readonly containers?: Section | undefined;
  readonly clusters?: Section | undefined;
};

const sectionOf = {
  vm: 'provisioning',
  container: 'containers',
  cluster: 'clusters',
} as const satisfies Record<ServiceType, keyof Sections>;

const serviceTypes = ['vm', 'container', 'cluster'] as const satisfies readonly ServiceType[];

/** The service types that the provider creates: those whose section the settings have. */
export const createdTypes = (settings: Sections): ServiceType[] =>
  serviceTypes.filter((serviceType) => settings[sectionOf[serviceType]] !== undefined);

/** The service types that the provider reports: VMs in every deployment, and those that it creates. */
export const reportedTypes = (settings: Sections): ServiceType[] =>
  serviceTypes.filter((serviceType) => serviceType === 'vm' || createdTypes(settings).includes(serviceType));

/** The names of the sections that the settings have. */
export const sectionNames = (settings: Sections): (keyof Sections)[] =>
  createdTypes(settings).map((serviceType) => sectionOf[serviceType]);

/** The regions where resources of the service type can be created. */
export const regionsOf = (settings: Sections, serviceType: ServiceType): string[] =>
  Object.keys(settings[sectionOf[serviceType]]?.regions ?? {});

/** The service types that are created in each region, by region. */
export const createdTypesByRegion = (settings: Sections): Readonly<Record<string, ServiceType[]>> => {
  const created = createdTypes(settings).map((serviceType) => ({
    serviceType,
    regions: regionsOf(settings, serviceType),
  }));
  return Object.fromEntries(
    created
      .flatMap(({ regions }) => regions)
      .map((region) => [
        region,
        created.filter(({ regions }) => regions.includes(region)).map(({ serviceType }) => serviceType),
      ]),
  );
};
