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

/** The sections for the home account, and for each other account. */
export type SectionsOfAccounts = Sections & {
  readonly accounts?: Readonly<Record<string, Sections>> | undefined;
};

/** The service types that the provider creates, in any account: those whose section the settings have. */
export const createdTypes = ({ accounts = {}, ...home }: SectionsOfAccounts): ServiceType[] =>
  serviceTypes.filter((serviceType) =>
    [home, ...Object.values(accounts)].some((sections) => sections[sectionOf[serviceType]] !== undefined),
  );

/** The service types that the provider reports: VMs in every deployment, and those that it creates. */
export const reportedTypes = (settings: SectionsOfAccounts): ServiceType[] =>
  serviceTypes.filter((serviceType) => serviceType === 'vm' || createdTypes(settings).includes(serviceType));

/** The names of the sections that the settings have for one account. */
export const sectionNames = ({ provisioning, containers, clusters }: Sections): (keyof Sections)[] =>
  createdTypes({ provisioning, containers, clusters }).map((serviceType) => sectionOf[serviceType]);

/** The regions where resources of the service type can be created. */
export const regionsOf = (settings: Sections, serviceType: ServiceType): string[] =>
  Object.keys(settings[sectionOf[serviceType]]?.regions ?? {});

/** The service types that are created in each region of one account, by region. */
export const createdTypesByRegion = ({
  provisioning,
  containers,
  clusters,
}: Sections): Readonly<Record<string, ServiceType[]>> => {
  const settings = { provisioning, containers, clusters };
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
