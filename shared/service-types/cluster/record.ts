import * as z from 'zod/mini';
import { Tags } from '../../core/ownership.ts';
import type { LaunchedRecord, ResourceRecord } from '../../core/record.ts';
import type { RecordFormat, Records } from '../../ports/records.ts';
import { clusterKind } from './kind.ts';
import { ClusterPlan, Workers } from './launch.ts';

/** What is known of a cluster from its creation on. */
export const ClusterFacts = z.object({
  /** The minor version of Kubernetes that it was created with, or was seen with. */
  version: z.optional(z.string()),
  workers: z.optional(Workers),
  /** ARNs; undefined of a cluster that was found by its tags alone. */
  adminPrincipals: z.optional(z.array(z.string())),
  chosenBy: z.optional(z.object({ version: z.string(), workers: z.string() })),
  labels: z.optional(Tags),
  /** Milliseconds since 1970, on EKS's clock. */
  launchedAtMs: z.int(),
});
export type ClusterFacts = z.infer<typeof ClusterFacts>;

export type ClusterRecord = ResourceRecord<ClusterPlan, ClusterFacts>;
export type LaunchedClusterRecord = LaunchedRecord<ClusterPlan, ClusterFacts>;
export type ClusterRecords = Records<ClusterPlan, ClusterFacts>;

/** What is seen of a cluster, and what the plan that it was created for says of it. */
const factsOf = (record: Pick<ClusterRecord, 'launch'> | undefined, seen: ClusterFacts): ClusterFacts => {
  if (!record?.launch) return seen;
  const { version, workers, adminPrincipals, chosenBy, labels } = record.launch;
  return {
    ...{ ...seen, version: seen.version ?? version, workers, adminPrincipals, chosenBy },
    ...(labels !== undefined && { labels }),
  };
};

/** What a cluster itself shows. */
export const factsSeen = ({ version, workers, launchedAtMs }: ClusterFacts): ClusterFacts => ({
  ...{ version, workers, launchedAtMs },
});

/** How the records of clusters are stored. */
export const clusterRecords: RecordFormat<ClusterPlan, ClusterFacts> = {
  kind: clusterKind,
  launch: ClusterPlan,
  facts: ClusterFacts,
  factsOf,
};
