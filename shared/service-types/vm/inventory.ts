import type { Instance as Ec2Instance, Tag } from '@aws-sdk/client-ec2';
import { type Entry, type EntryChange, type ListedEntry, objectOf } from '../../core/inventory/entry.ts';
import { rankOf } from '../../core/kind.ts';
import type { Tags } from '../../core/ownership.ts';
import { type InstanceState, vmKind } from './kind.ts';

export const tagsOf = (tags: readonly Tag[] = []): Tags =>
  Object.fromEntries(tags.map(({ Key = '', Value = '' }) => [Key, Value]));

/** An instance of EC2 in the inventory; undefined for one that is terminated, which EC2 shows for about an hour. */
export const instanceEntry = (instance: Ec2Instance): ListedEntry | undefined => {
  const { InstanceId: id, State, VpcId: vpcId, Tags: tagList, BlockDeviceMappings = [] } = instance;
  if (id === undefined || State?.Name === undefined || State.Name === 'terminated') return undefined;
  const tags = tagsOf(tagList);
  const volumes = BlockDeviceMappings.flatMap(({ Ebs }) => Ebs?.VolumeId ?? []);
  return { id, name: tags.Name, tags, state: State.Name, volumes, vpcId, object: objectOf(instance) };
};

/**
 * EC2's events have their time to the second, and several states can have the same one. So states of a second are ordered by their rank, as
 * milliseconds.
 */
const timeOf = (state: InstanceState, atSecond: number): number => atSecond * 1000 + rankOf(vmKind, state);

/** EC2's codes of the states. @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceState.html */
const codes: Readonly<Record<InstanceState, number>> = {
  ...{ pending: 0, running: 16, 'shutting-down': 32, terminated: 48, stopping: 64, stopped: 80 },
};

/**
 * What EC2 changes together with a state, and no event says: why, the public address, which it takes back of a stopped instance, and when it
 * started.
 */
const changedWith = (state: InstanceState): ReadonlySet<string> =>
  new Set([
    ...['StateReason', 'StateTransitionReason'],
    ...(state === 'stopped' || state === 'pending'
      ? ['PublicIpAddress', 'PublicDnsName', 'Association']
      : []),
    ...(state === 'pending' ? ['LaunchTime'] : []),
  ]);

type Seen = { readonly id: string; readonly state: InstanceState; readonly atSecond: number };

/**
 * The change of an instance that a state event means. `known`: the instance as the inventory has it; undefined: the event alone does not
 * say what it is.
 */
export const stateEventChange = (
  { id, state, atSecond }: Seen,
  known: Entry | undefined,
): EntryChange | undefined => {
  const at = timeOf(state, atSecond);
  if (state === 'terminated') return { ended: { id, at } };
  if (known === undefined) return undefined;
  const kept = known.state === state ? known.object : objectOf(known.object, changedWith(state));
  const object = { ...kept, State: { Code: codes[state], Name: state } };
  const unhealthy = state === 'running' ? known.unhealthy : undefined;
  return { entry: { ...known, at, state, unhealthy, object } };
};

/** The change of an instance whose tags changed. It has the known state, so it does not count as older than the event of that state. */
export const tagEventChange = (known: Entry, tags: Tags, atSecond: number): EntryChange => {
  const list = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  return {
    entry: {
      ...{ ...known, name: tags.Name, tags, at: Math.max(known.at, atSecond * 1000) },
      object: { ...known.object, ...objectOf({ Tags: list }) },
    },
  };
};
