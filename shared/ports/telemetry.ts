/** Structured log lines: a sentence that is the same each time, and the fields that differ. */
export type Log = Record<
  'info' | 'warn' | 'error',
  (message: string, fields?: Readonly<Record<string, unknown>>) => void
>;

/** What is counted. One name a metric, in every function, on AWS and in the tests. */
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
  /** Statuses of a VM that changed too often, which a newer one was told instead of. */
  | 'debounced'
  /** Statuses that were not published because their VM had too many unpublished ones (shared/core/outbox.ts). */
  | 'superseded'
  | 'claimed'
  /** A second instance with the DCM id of a VM that another one is: seen, and not reported. */
  | 'duplicateOwner'
  /** An instance was claimed whose DCM id, as its tags have it, the API does not take. */
  | 'unaddressable'
  | 'released'
  /** An instance was given another DCM id: the VM that it was has ended. */
  | 'moved'
  | 'ec2Calls'
  | 'published'
  | 'duplicate'
  /** Of these, events that were not published before: somebody else has published a message under their id. */
  | 'duplicateAtFirstAttempt'
  | 'unpublished'
  | 'pagesListed'
  | 'pagesUnchanged'
  /** Pages that look unchanged and were compared with the fleet all the same, for the last comparison was an hour ago. */
  | 'pagesCompared'
  /** What such a comparison found: VMs of which the fleet held something else. */
  | 'comparisonHealed'
  | 'vanished'
  | 'breakerTripped'
  /** One of the two while DCM does not take a provider row: once for each row and attempt. */
  | 'registrationRefused'
  | 'registrationUnreachable';

export type Meter = {
  count(name: Count, by?: number): void;
  /** Milliseconds from EC2's time of an accepted observation, which has one-second resolution, to its publication. */
  eventAge(ms: number): void;
  /** A listing showed what no event had told: `resyncHealed`, by region and state. */
  healed(region: string, state: string): void;
};
