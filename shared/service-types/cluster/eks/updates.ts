import type { EKSClient, ErrorDetail, Update } from '@aws-sdk/client-eks';
import { LRUCache } from 'lru-cache';
import type { AwsAccounts } from '../../../adapters/aws/accounts.ts';
import { readsByTarget } from '../../../adapters/aws/calls.ts';
import { UnavailableError } from '../../../core/errors.ts';
import { clusterNameIn } from '../kind.ts';
import { workersGroup } from '../launch.ts';
import type { ClusterUpdates } from '../ports.ts';
import { issueText } from '../state.ts';
import { eksReader, inParallel, undefinedIfUnknown } from './clusters.ts';

const timeoutMs = 3_000;

/** AWS documents no order of the ids, so the newest one may be the first or the last: of more, these are described at each end. */
const describedAtEachEnd = 10;

/** Updates that have ended, which never change. */
const maximumRemembered = 2_000;

type Connection = {
  readonly eks: typeof import('./sdk.ts');
  readonly client: EKSClient;
  readonly abortSignal: AbortSignal;
  /** By id. */
  readonly ended: LRUCache<string, Update>;
};

/**
 * The updates of clusters and of their workers, by EKS's SDK client: two calls, and one for each update that has not been described before,
 * at most twenty of each.
 * @see https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeUpdate.html
 */
export const eksUpdates = (accounts?: AwsAccounts): ClusterUpdates => {
  const ask = readsByTarget({
    name: 'EKS',
    load: () => import('./sdk.ts'),
    connect: eksReader,
    accounts,
  });
  const ended = new LRUCache<string, Update>({ max: maximumRemembered });
  return async (target, resourceId, sinceMs) => {
    const name = clusterNameIn(target, resourceId);
    if (name === undefined) return undefined;
    const what = `describe the updates of cluster ${name}`;
    const newest = await ask({ target, timeoutMs, what }, (eks, client, abortSignal) =>
      inParallel([undefined, workersGroup], (nodegroupName) =>
        newestUpdate({ eks, client, abortSignal, ended }, { name, nodegroupName }),
      ),
    );
    const since = newest.filter((update) => createdAtMs(update) > sinceMs);
    if (since.some((update) => update?.status === 'InProgress'))
      throw new UnavailableError(`EKS does not show yet how the update of cluster ${name} has ended`);
    return since.flatMap((update) => failureIn(update) ?? []).join('; ') || undefined;
  };
};

/** Undefined where there is none, or no such cluster or node group. */
const newestUpdate = async (
  { eks, client, abortSignal, ended }: Connection,
  about: { readonly name: string; readonly nodegroupName: string | undefined },
): Promise<Update | undefined> => {
  const ids: string[] = [];
  try {
    for await (const { updateIds = [] } of eks.paginateListUpdates({ client }, about, { abortSignal }))
      ids.push(...updateIds);
  } catch (error) {
    undefinedIfUnknown(error);
  }
  const ends = [...new Set([...ids.slice(0, describedAtEachEnd), ...ids.slice(-describedAtEachEnd)])];
  const updates = await inParallel(ends, async (updateId) => {
    const known = ended.get(updateId);
    if (known) return known;
    const command = new eks.DescribeUpdateCommand({ ...about, updateId });
    const update = (await client.send(command, { abortSignal }).catch(undefinedIfUnknown))?.update;
    if (update !== undefined && update.status !== 'InProgress') ended.set(updateId, update);
    return update;
  });
  return updates
    .flatMap((update) => update ?? [])
    .sort((one, other) => createdAtMs(other) - createdAtMs(one))[0];
};

const createdAtMs = (update: Update | undefined): number => update?.createdAt?.getTime() ?? 0;

/** With the id, so that two failures for the same reason are not taken for one. */
const failureIn = (update: Update | undefined): string | undefined => {
  if (update?.status !== 'Failed' && update?.status !== 'Cancelled') return undefined;
  const outcome = update.status === 'Failed' ? 'has failed' : 'was cancelled';
  const { type, id, errors = [] } = update;
  return [`the update ${type} ${id} ${outcome}`, ...errors.map(errorText)].join(': ');
};

const errorText = ({
  errorCode: code = 'Unknown',
  errorMessage: message = 'without a message',
  resourceIds = [],
}: ErrorDetail): string => issueText({ code, message, resourceIds });
