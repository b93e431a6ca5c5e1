/** Structured log lines: a constant sentence, and fields with the details. */
export type Log = Record<
  'info' | 'warn' | 'error',
  (message: string, fields?: Readonly<Record<string, unknown>>) => void
>;

/** The names of the count metrics. */
export type Count =
  | 'received'
  | 'unreadable'
  | 'unknownEvent'
  /** An event of another AWS account, which was dropped. */
  | 'foreignAccount'
  | 'unknownState'
  /** An event of AWS about an instance in a region that is not reported. */
  | 'unreportedRegion'
  | 'foreign'
  | 'tooYoung'
  | 'accepted'
  | 'unchanged'
  | 'stale'
  | 'collapsed'
  /** Statuses that the debounce held back until a newer one superseded them. */
  | 'debounced'
  /** Statuses that were not published because their VM had too many unpublished ones (shared/core/outbox.ts). */
  | 'superseded'
  /** Statuses that the status bus has taken; that it has not taken yet, at each attempt. */
  | 'forwarded'
  | 'unforwarded'
  | 'claimed'
  /** A second instance with the DCM id of a VM: it is not reported. */
  | 'duplicateOwner'
  /** An instance was claimed with a DCM id in its tags that the API does not accept. */
  | 'unaddressable'
  | 'released'
  /** An instance was given another DCM id: its former VM has ended. */
  | 'moved'
  | 'ec2Calls'
  | 'ecsCalls'
  | 'eksCalls'
  | 'published'
  | 'duplicate'
  /** Duplicates at the first attempt to publish: another client has published a message under the event's id. */
  | 'duplicateAtFirstAttempt'
  | 'unpublished'
  | 'pagesListed'
  | 'pagesUnchanged'
  /** Unchanged pages that were compared with the resource store because the last comparison was an hour ago. */
  | 'pagesCompared'
  /** VMs for which such a comparison found another state in the resource store. */
  | 'comparisonHealed'
  | 'vanished'
  | 'breakerTripped'
  /** Recorded deletions that the provider-api completed, because the request to delete had ended too early. */
  | 'deletionsCompleted'
  /** Attempts to complete a recorded deletion that were refused, so that no retry helps until something changes. */
  | 'deletionsRefused'
  /** Calls of AWS for collections that only the inventory has. */
  | 'inventoryCalls'
  /** Listings of such collections that failed. */
  | 'collectionsNotListed'
  /** Pages, and ends, of listings that the inventory did not take. */
  | 'inventoryNotWritten'
  /** Statuses that the usage ledger has taken, and those of a month that had ended before. */
  | 'usageEvents'
  | 'usageLate'
  /** Runs of the canary that failed: its create is not valid, or JetStream does not take statuses. */
  | 'canaryFailed'
  /** One of the two for each failed attempt to register a provider at DCM. */
  | 'registrationRefused'
  | 'registrationUnreachable';

export type Meter = {
  count(name: Count, by?: number): void;
  /** Milliseconds from EC2's time of an accepted observation, which has one-second resolution, to its publication. */
  eventAge(ms: number): void;
  /** A listing showed a state that no event had reported: `resyncHealed`, by region and state. */
  healed(region: string, state: string): void;
  /** Milliseconds from the canary's message in the observations queue to JetStream's answer: `canaryAgeMs`, by provider. */
  canaryAge(provider: string, ms: number): void;
};
