import * as z from 'zod/mini';
import { Tags } from '../../core/ownership.ts';
import type { LaunchedRecord, ResourceRecord } from '../../core/record.ts';
import type { RecordFormat, Records } from '../../ports/records.ts';
import { vmKind } from './kind.ts';
import { LaunchPlan } from './launch.ts';

/** What is known of a VM's instance from its launch on. */
export const VmFacts = z.object({
  instanceType: z.optional(z.string()),
  imageId: z.optional(z.string()),
  zone: z.optional(z.string()),
  privateAddress: z.optional(z.string()),
  /** Whether its launch asked for a public address. */
  getsPublicAddress: z.optional(z.boolean()),
  isWindows: z.optional(z.boolean()),
  /** As in BilledFacts (core/outputs.ts). */
  platform: z.optional(z.string()),
  market: z.optional(z.enum(['spot'])),
  sshUser: z.optional(z.string()),
  /** Which rule chose what, in words; unknown of an instance that was found by its tags alone. */
  chosenBy: z.optional(z.object({ image: z.string(), instanceType: z.string() })),
  labels: z.optional(Tags),
  /** Milliseconds since 1970, on EC2's clock. */
  launchedAtMs: z.int(),
});
export type VmFacts = z.infer<typeof VmFacts>;

export type VmRecord = ResourceRecord<LaunchPlan, VmFacts>;
export type LaunchedVmRecord = LaunchedRecord<LaunchPlan, VmFacts>;
export type VmRecords = Records<LaunchPlan, VmFacts>;

/** What an instance itself shows. */
export const factsSeen = (instance: VmFacts): VmFacts => {
  const { instanceType, imageId, zone, privateAddress, isWindows, platform, market, launchedAtMs } = instance;
  return {
    ...{ instanceType, imageId, zone, privateAddress, isWindows, launchedAtMs },
    ...(platform !== undefined && { platform }),
    ...(market !== undefined && { market }),
  };
};

/** What is seen of an instance, and what the plan that it was launched for says of it. */
export const factsOf = (record: Pick<VmRecord, 'launch' | 'attempt'> | undefined, seen: VmFacts): VmFacts => {
  if (!record?.launch) return seen;
  const { placements, imageId, sshUser, chosenBy, labels, publicAddress: getsPublicAddress } = record.launch;
  const placement = placements[record.attempt];
  return {
    ...seen,
    instanceType: seen.instanceType ?? placement?.instanceType,
    imageId: seen.imageId ?? imageId,
    zone: seen.zone ?? placement?.zone,
    sshUser,
    chosenBy,
    getsPublicAddress,
    ...(labels !== undefined && { labels }),
  };
};

/** How the records of VMs are stored. */
export const vmRecords: RecordFormat<LaunchPlan, VmFacts> = {
  kind: vmKind,
  launch: LaunchPlan,
  facts: VmFacts,
  factsOf,
};
