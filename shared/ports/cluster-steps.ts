/** A request to take the next step of a cluster's creation or deletion, if there is one. */
export type ClusterStepRequest = {
  readonly dcmId: string;
  /** Whether further steps follow by themselves, until the cluster is at rest. Without, one step is taken. */
  readonly continues: boolean;
  /**
   * The id of another cluster than the one of the record: it was created too late to become that one, and is to be deleted. Absent: the step
   * is one of the record's cluster.
   */
  readonly resourceId?: string | undefined;
  /** EKS has shown the cluster in an earlier step, so that its absence means that it is gone. */
  readonly wasSeen?: boolean | undefined;
  /** Since when no step has seen the cluster: milliseconds since 1970. Absent: the step before has, or there was none. */
  readonly unseenSinceMs?: number | undefined;
};

/** The queue of steps, which functions/cluster-steps reads. */
export type ClusterSteps = {
  /**
   * The requests can be received after `afterSeconds`: 0 to 900. @default 0. Repetitions do no harm.
   * @throws UnavailableError where some may not be in the queue.
   */
  request(requests: readonly ClusterStepRequest[], afterSeconds?: number): Promise<void>;
};
