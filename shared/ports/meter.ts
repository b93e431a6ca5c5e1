/** What is counted. One name a metric, in every function, on AWS and in the tests. */
export type Count =
  | 'received'
  | 'unreadable'
  | 'unknownEvent'
  | 'unknownState'
  | 'foreign'
  | 'tooYoung'
  | 'accepted'
  | 'unchanged'
  | 'stale'
  | 'collapsed'
  | 'claimed'
  | 'released'
  | 'ec2Calls'
  | 'published'
  | 'duplicate'
  | 'unpublished'
  | 'pagesListed'
  | 'pagesUnchanged'
  | 'vanished'
  | 'breakerTripped';

export type Meter = {
  count(name: Count, by?: number): void;
  /** Milliseconds from EC2's time of an accepted observation, which has one-second resolution, to its publication. */
  eventAge(ms: number): void;
  /** A listing showed what no event had told: `resyncHealed`, by region and state. */
  healed(region: string, state: string): void;
};
