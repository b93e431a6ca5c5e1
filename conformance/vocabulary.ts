/** A service type's collection in DCM, and the statuses that DCM's proposals list for it. */
export type Vocabulary = {
  readonly collection: string;
  readonly statuses: readonly string[];
  /** Statuses of a resource that is starting. */
  readonly starting: readonly string[];
  /** Statuses of a resource that runs. */
  readonly ready: readonly string[];
};

/** @see https://github.com/dcm-project/enhancements (state-management/service-provider-status-reporting.md) */
const vocabularies: Readonly<Record<string, Vocabulary>> = {
  vm: {
    collection: 'vms',
    statuses: ['PROVISIONING', 'RUNNING', 'STOPPED', 'FAILED', 'DELETED', 'DELETING', 'PAUSED', 'STOPPING'],
    starting: ['PROVISIONING'],
    ready: ['RUNNING'],
  },
  container: {
    collection: 'containers',
    statuses: ['PENDING', 'PROVISIONING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'UNKNOWN', 'DELETING', 'DELETED'],
    starting: ['PENDING', 'PROVISIONING'],
    ready: ['RUNNING'],
  },
  cluster: {
    collection: 'clusters',
    statuses: [
      ...['PENDING', 'PROVISIONING', 'PROGRESSING', 'READY', 'ACTIVE', 'DEGRADED', 'UNAVAILABLE'],
      ...['FAILED', 'DELETING', 'DELETED'],
    ],
    starting: ['PENDING', 'PROVISIONING', 'PROGRESSING'],
    ready: ['READY', 'ACTIVE'],
  },
  storage: {
    collection: 'volumes',
    statuses: ['PROVISIONING', 'RUNNING', 'FAILED', 'DELETING', 'DELETED'],
    starting: ['PROVISIONING'],
    ready: ['RUNNING'],
  },
};

/** @throws RangeError for a service type whose statuses DCM does not document. */
export const vocabularyOf = (serviceType: string): Vocabulary => {
  const vocabulary = vocabularies[serviceType];
  if (vocabulary) return vocabulary;
  throw new RangeError(
    `service type ${serviceType}: expected one of ${Object.keys(vocabularies).join(', ')}`,
  );
};
