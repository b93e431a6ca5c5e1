import { FailedPreconditionError, ProviderError } from '../../shared/core/errors.ts';
import { isStuck, stuckNotice } from '../../shared/core/follow-up.ts';
import { finalState } from '../../shared/core/kind.ts';
import { dcmIdOf, type TagKeys } from '../../shared/core/ownership.ts';
import { isLaunched, isLeased } from '../../shared/core/record.ts';
import { circumstancesOf } from '../../shared/core/resource.ts';
import { type Target, targetOfKey } from '../../shared/core/target.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { ClusterStepRequest, ClusterSteps } from '../../shared/ports/cluster-steps.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { Ownership, ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import { clientToken, isLaunchedByUs } from '../../shared/service-types/client-token.ts';
import {
  clusterKind,
  clusterNameIn,
  resourceIdOf,
  targetIn,
} from '../../shared/service-types/cluster/kind.ts';
import { generationIn, nodeGroupTags, workersGroup } from '../../shared/service-types/cluster/launch.ts';
import type { Cluster, ClusterActions, Clusters } from '../../shared/service-types/cluster/ports.ts';
import type {
  ClusterRecord,
  ClusterRecords,
  LaunchedClusterRecord,
} from '../../shared/service-types/cluster/record.ts';
import { nextStep, type Step, type Wish } from '../../shared/service-types/cluster/steps.ts';
import { instanceNoticedEvent, instanceObservedEvent } from '../../shared/wire/own-messages.ts';
import type { AccountSteps } from './env.ts';

export type Parts = {
  readonly records: Pick<ClusterRecords, 'read'>;
  readonly resourceStore: Pick<ResourceStore, 'read'>;
  readonly clusters: Pick<Clusters, 'describe'>;
  readonly actions: Omit<ClusterActions, 'create'>;
  readonly observations: Observations;
  readonly steps: ClusterSteps;
  /** From one step to the next. */
  readonly stepSeconds: number;
  /** Of the clusters in a target's account. Undefined where it has no settings of clusters any more: then no step is taken there. */
  readonly settingsIn: (target: Target) => AccountSteps | undefined;
  /** Our name at DCM. */
  readonly provider: string;
  readonly tagKeys: TagKeys;
  readonly now: Clock;
  readonly log: Log;
};

const toBeDeleted: Wish = {
  ...{ isDeletionRequested: true, isOurs: true, isRecent: false, isLost: false, hasRun: true },
  adminPrincipals: [],
};

/** For how long EKS may not show a new cluster. */
const unseenMs = 120_000;

/** After so long without a sight of it, a cluster whose creation is not complete counts as removed by others; as long as in listings. */
const lostMs = 600_000;

/** For all calls of one describe. */
const describeTimeoutMs = 5_000;

type Message = { readonly messageId: string; readonly resourceMessages: readonly ClusterStepRequest[] };

/** Takes the next step of each cluster of a batch. @returns why steps were not taken, by message id. */
export const takeSteps = (parts: Parts) => {
  const take = takeStep(parts);
  return async (messages: readonly Message[]): Promise<ReadonlyMap<string, unknown>> => {
    const failures = new Map<string, unknown>();
    const takeOne = async ({ messageId, resourceMessages }: Message) => {
      try {
        for (const request of resourceMessages) await take(request);
      } catch (error) {
        failures.set(messageId, error);
      }
    };
    await Promise.all(messages.map(takeOne));
    return failures;
  };
};

/**
 * Takes the next step of a cluster's creation or deletion, as EKS describes it now, and queues the one after it. Where EKS does not allow a
 * step yet, because something else is under way, the step is taken again later. Where EKS refuses it, DCM is told the reason, and the
 * poller has the step tried again as long as the cluster is not at rest.
 * @throws ProviderError where the record, the resource store or EKS did not answer: SQS delivers the message again.
 */
export const takeStep = (parts: Parts) => {
  const { records, resourceStore, clusters, actions, settingsIn, provider, tagKeys, now, log } = parts;

  return async (request: ClusterStepRequest): Promise<void> => {
    const record = await records.read(request.dcmId);
    if (request.resourceId !== undefined) return discard(request, request.resourceId, record);
    if (record === undefined) return;
    if (isLaunched(record)) return advance(request, record);
    if (isLeased(record, now())) await repeat(request);
  };

  async function advance(request: ClusterStepRequest, record: LaunchedClusterRecord): Promise<void> {
    const target = targetOfKey(record.region);
    const name = clusterNameIn(target, record.resourceId);
    if (name === undefined) return;
    if (settingsIn(target) === undefined)
      return log.error('a step of a cluster is not taken: its account has no settings of clusters', {
        ...{ dcmId: record.dcmId, resourceId: record.resourceId },
      });
    const { held, seen } = await look(record, target);
    const administrators = await administratorsOf(record, seen, target);
    const unseenSinceMs = request.unseenSinceMs ?? now();
    const step = nextStep(wishOf(request, record, held, seen), seen, administrators);
    const isUnderWay = await attempt(step, { record, target, name, seen });
    if (isUnderWay)
      await repeat({
        ...request,
        ...(seen ? { wasSeen: true, unseenSinceMs: undefined } : { unseenSinceMs }),
      });
  }

  async function repeat(request: ClusterStepRequest): Promise<void> {
    if (request.continues) await parts.steps.request([request], parts.stepSeconds);
  }

  /** Takes the next step of deleting a cluster that was created too late to become the one of its id. */
  async function discard(
    request: ClusterStepRequest,
    resourceId: string,
    record: ClusterRecord | undefined,
  ): Promise<void> {
    const { dcmId } = request;
    const target = targetIn(resourceId);
    if (target === undefined) return;
    const seen = (await clusters.describe(target, [resourceId], describeTimeoutMs)).get(resourceId);
    if (seen === undefined || !isTooLate(seen, dcmId, record)) return;
    const step = nextStep(toBeDeleted, seen, undefined);
    try {
      await act(step, { target, name: seen.name, seen });
    } catch (error) {
      if (!(error instanceof ProviderError) || error.retryable) throw error;
      log.warn('EKS refuses a step of deleting a cluster that was created too late', {
        ...{ dcmId, resourceId, step, error },
      });
    }
    await repeat(request);
  }

  /**
   * Whether this provider created a cluster for an attempt that the record no longer stands for: by its name and token, which have the same
   * generation, so that a copy of its tags on a cluster of others is no proof. Where the cluster was claimed meanwhile, it is late only if DCM
   * has deleted the id since that attempt.
   */
  function isTooLate(seen: Cluster, dcmId: string, record: ClusterRecord | undefined): boolean {
    const generation = generationIn(seen.name, dcmId);
    if (generation === undefined || !isLaunchedFor(seen, { dcmId, generation })) return false;
    if (record === undefined) return true;
    if (resourceIdOf(targetOfKey(record.region), seen.name) !== seen.resourceId) return false;
    const isOlder = generation < record.generation;
    if (record.resourceId === seen.resourceId) return isOlder && record.deletedAtMs !== undefined;
    return isLaunched(record) ? record.endedAtMs === undefined : isOlder;
  }

  function isLaunchedFor(
    { tags, clientToken: token }: Cluster,
    about: { readonly dcmId: string; readonly generation: number },
  ): boolean {
    const isTagged = dcmIdOf(tags, tagKeys, provider) === about.dcmId;
    return isTagged && token === clientToken(provider, { ...about, attempt: 0 });
  }

  async function look({ resourceId }: LaunchedClusterRecord, target: Target) {
    const held = (await resourceStore.read([resourceId])).get(resourceId) ?? { owner: 'unknown' as const };
    const seen = (await clusters.describe(target, [resourceId], describeTimeoutMs)).get(resourceId);
    return { held, seen };
  }

  function wishOf(
    { wasSeen = false, unseenSinceMs = now() }: ClusterStepRequest,
    record: LaunchedClusterRecord,
    held: Ownership,
    seen: Cluster | undefined,
  ): Wish {
    const token = seen?.clientToken;
    const isLaunchedHere = record.adopted === false || isLaunchedByUs(provider, record, token);
    const isStillIt = seen === undefined || dcmIdOf(seen.tags, tagKeys, provider) === record.dcmId;
    return {
      isDeletionRequested: record.deleteRequestedAtMs !== undefined,
      isOurs: isStillIt && (isLaunchedHere || settingsOf(record)?.changeAdopted === true),
      adminPrincipals: adminPrincipalsOf(record),
      isRecent: !wasSeen && now() - record.facts.launchedAtMs < unseenMs,
      isLost: now() - unseenSinceMs >= lostMs,
      hasRun:
        held.owner === 'ours' &&
        circumstancesOf(held.vm, { state: held.vm.state ?? clusterKind.startingState, at: 0 }).hasRun,
    };
  }

  function settingsOf({ region }: LaunchedClusterRecord): AccountSteps | undefined {
    return settingsIn(targetOfKey(region));
  }

  function adminPrincipalsOf(record: LaunchedClusterRecord): readonly string[] {
    return record.facts.adminPrincipals ?? settingsOf(record)?.adminPrincipals ?? [];
  }

  /** Read only where some may be missing: of a cluster that is ACTIVE. */
  async function administratorsOf(
    record: LaunchedClusterRecord,
    seen: Cluster | undefined,
    target: Target,
  ): Promise<readonly string[] | undefined> {
    const isComplete = record.deleteRequestedAtMs !== undefined || adminPrincipalsOf(record).length === 0;
    return isComplete || seen?.status !== 'ACTIVE' ? undefined : actions.administrators(target, seen.name);
  }

  /** @returns whether another step may follow. */
  async function attempt(step: Step, about: About): Promise<boolean> {
    try {
      await (step.action === 'report-deleted' ? reportDeleted(about.record) : act(step, about));
    } catch (error) {
      if (!(error instanceof ProviderError) || error.retryable) throw error;
      if (error instanceof FailedPreconditionError) {
        log.info('EKS does not allow a step yet', { dcmId: about.record.dcmId, step, error });
        return true;
      }
      log.error('EKS refuses a step of a cluster', { dcmId: about.record.dcmId, step, error });
      await notice(about.record, error.message);
      return about.record.deleteRequestedAtMs !== undefined;
    }
    return isFollowed(step, about);
  }

  async function isFollowed(step: Step, { record, seen }: About): Promise<boolean> {
    if (step.action === 'rest' || step.action === 'report-deleted') return false;
    if (seen?.state !== 'JOINING' || !isLate(record)) return true;
    await reportStuck(record);
    return false;
  }

  function isLate({ facts: { launchedAtMs }, deleteRequestedAtMs }: LaunchedClusterRecord): boolean {
    const launch = { state: clusterKind.startingState, launchedAtMs };
    return deleteRequestedAtMs === undefined && isStuck(clusterKind, launch, now());
  }

  async function act(step: Step, { target, name, seen }: Omit<About, 'record'>): Promise<void> {
    switch (step.action) {
      case 'add-administrators':
        for (const arn of step.principalArns) await actions.addAdministrator(target, name, arn);
        return;
      case 'create-workers':
        return seen && createWorkers(seen, target);
      case 'delete-node-groups':
        for (const group of step.names) await actions.deleteNodeGroup(target, name, group);
        return;
      case 'delete-cluster':
        return actions.delete(target, name);
      case 'report-deleted': // by the caller
      case 'wait':
      case 'rest':
        return;
    }
  }

  async function createWorkers(
    { name, workers, subnetIds, tags, clientToken: token }: Cluster,
    target: Target,
  ) {
    const { nodeRoleArn } = settingsIn(target) ?? {};
    if (workers === undefined || nodeRoleArn === undefined) return;
    await actions.createNodeGroup(target, name, {
      name: workersGroup,
      nodeRoleArn,
      tags: nodeGroupTags(tags, tagKeys),
      clientToken: `${token ?? name}-${workersGroup}`,
      ...{ workers, subnetIds },
    });
  }

  function reportDeleted(record: LaunchedClusterRecord): Promise<void> {
    const about = { ...aboutCluster(record), at: Math.floor(now() / 1000) };
    const isRequested = record.deleteRequestedAtMs !== undefined;
    const vanished = { code: 'Vanished', message: 'EKS does not know it any more' };
    return parts.observations.send([
      instanceObservedEvent({
        ...{ ...about, state: finalState(clusterKind) },
        ...(!isRequested && { 'state-reason': vanished }),
      }),
    ]);
  }

  function reportStuck(record: LaunchedClusterRecord): Promise<void> {
    const stuck = stuckNotice(clusterKind, record.facts, 0);
    return parts.observations.send([instanceNoticedEvent({ ...aboutCluster(record), ...stuck })]);
  }

  /** The reason for which EKS refuses a step: with it, a creation has failed. */
  function notice(record: LaunchedClusterRecord, text: string): Promise<void> {
    const sort = record.deleteRequestedAtMs === undefined ? 'stuck-launch' : 'deletion-refused';
    const about = { ...aboutCluster(record), at: Math.floor(now() / 1000) };
    return parts.observations.send([instanceNoticedEvent({ ...about, notice: sort, text })]);
  }
};

type About = {
  readonly record: LaunchedClusterRecord;
  readonly target: Target;
  readonly name: string;
  readonly seen: Cluster | undefined;
};

const aboutCluster = ({ resourceId, region, account }: LaunchedClusterRecord) => ({
  ...{ 'instance-id': resourceId, region: targetOfKey(region).region, account },
});
