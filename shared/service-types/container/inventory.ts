import type { Task as EcsTask } from '@aws-sdk/client-ecs';
import { type ListedEntry, objectOf } from '../../core/inventory/entry.ts';

type TaskTags = readonly { readonly key?: string | undefined; readonly value?: string | undefined }[];
type Overrides = { readonly containerOverrides?: readonly object[] | undefined };

/** The part of a task that ECS's API and its events have in common. */
export type ShownTask = Pick<EcsTask, 'taskArn' | 'lastStatus' | 'healthStatus'> & {
  readonly tags?: TaskTags | undefined;
  readonly overrides?: Overrides | undefined;
};

const hasEnded = (lastStatus: string | undefined): boolean =>
  lastStatus === undefined || lastStatus === 'STOPPED' || lastStatus === 'DELETED';

/** The id of a task in the inventory. */
export const taskEntryId = (taskArn: string): string => taskArn.slice(taskArn.lastIndexOf('/') + 1);

/**
 * A task of ECS in the inventory; undefined for one that has stopped, which ECS shows for about an hour. The environment variables of its
 * overrides are left out, because they can be secrets.
 */
export const taskEntry = (task: ShownTask): ListedEntry | undefined => {
  const { taskArn, lastStatus, healthStatus, tags: list = [], overrides } = task;
  if (taskArn === undefined || hasEnded(lastStatus)) return undefined;
  const tags = Object.fromEntries(list.map(({ key = '', value = '' }) => [key, value]));
  return {
    id: taskEntryId(taskArn),
    name: tags.Name,
    tags,
    state: lastStatus,
    ...(healthStatus === 'UNHEALTHY' && { unhealthy: 'its health check fails' }),
    object: objectOf({ ...task, ...(overrides && { overrides: withoutEnvironment(overrides) }) }),
  };
};

const withoutEnvironment = ({ containerOverrides = [], ...others }: Overrides) => ({
  ...others,
  containerOverrides: containerOverrides.map((one) =>
    Object.fromEntries(Object.entries(one).filter(([name]) => !/^environment/.test(name))),
  ),
});
