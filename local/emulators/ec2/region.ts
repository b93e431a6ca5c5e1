import type { Tags } from '../../../shared/core/ownership.ts';
import type { InstanceState, StateReason } from '../../../shared/service-types/vm/kind.ts';
import type { Account } from './account.ts';
import { stateChange, tagChange } from './events.ts';
import {
  type DescribedInstance,
  describedAt,
  extendTimeline,
  type Launch,
  newInstance,
  publicIp,
  type SimulatedInstance,
  startTimeline,
} from './instance.ts';
import { type InstanceStore, instanceStore } from './instance-store.ts';
import { nextState } from './lifecycle.ts';
import { openNetwork, type RegionNetwork } from './network-interfaces.ts';

type UpdatableProperty = 'disableApiTermination' | 'impaired' | 'publicIp' | 'retiresAtMs';

type InstanceProperties = Pick<SimulatedInstance, 'disableApiTermination' | 'launchIndex'> & {
  readonly tags: Tags;
};

/** The instances of one region, and the operations on them. */
export type Region = Omit<InstanceStore, 'put'> & {
  readonly name: string;
  readonly account: Account;
  readonly network: RegionNetwork;
  /** The instances as a Describe call shows them now. */
  described(instances: Iterable<SimulatedInstance>): Iterable<DescribedInstance>;
  /** Adds a pending instance. */
  launch(launch: Launch, own: InstanceProperties): SimulatedInstance;
  /** Adds a running instance, without an event. */
  addRunning(launch: Launch, tags: Tags): SimulatedInstance;
  /** Changes the state of an instance, emits the event, and starts the timer of the state that follows. */
  enter(id: string, state: InstanceState, reason: StateReason | undefined): SimulatedInstance;
  /** Replaces the tags of an instance. */
  tag(id: string, tags: Tags): void;
  /** Changes properties that have no events. */
  update(id: string, changes: Partial<Pick<SimulatedInstance, UpdatableProperty>>): void;
  newPublicIp(): string;
};

export const openRegion = (name: string, account: Account): Region => {
  const { clock, timers } = account;
  const { put, ...store } = instanceStore(clock, account.retention);
  const count = { instances: 1, publicIps: 1 };
  const newPublicIp = () => publicIp(count.publicIps++);

  const enter: Region['enter'] = (id, state, reason) => {
    const instance = store.get(id);
    const atMs = clock();
    const launchedAtMs = state === 'pending' ? atMs : instance.status.value.launchedAtMs;
    return afterEntering(
      put({ ...instance, status: extendTimeline(instance.status, { state, reason, launchedAtMs }, atMs) }),
    );
  };
  const afterEntering = (instance: SimulatedInstance): SimulatedInstance => {
    const { state, reason } = instance.status.value;
    const next = nextState(state, account.dwellMs, account.random);
    if (next === undefined) timers.cancel(instance.id);
    else {
      const kept = next.state === 'running' ? undefined : reason;
      timers.after(instance.id, next.ms, () => enter(instance.id, next.state, kept));
    }
    emitStateChange(account, instance);
    return instance;
  };

  const created = (launch: Launch, { tags, ...own }: InstanceProperties): SimulatedInstance => {
    const address = launch.publicAddress ? newPublicIp() : undefined;
    const instance = { ...own, region: name, number: count.instances++, launch, publicIp: address };
    return newInstance(instance, tags, clock());
  };

  return {
    ...store,
    name,
    account,
    network: openNetwork({ region: name, clock, newPublicIp }),
    enter,
    newPublicIp,
    *described(instances) {
      const [nowMs, faults] = [clock(), account.faults()];
      for (const instance of instances) yield describedAt(nowMs, faults, instance);
    },
    launch: (launch, own) => {
      const instance = afterEntering(put(created(launch, own)));
      emitTagChange(account, instance, changedKeys({}, own.tags));
      return instance;
    },
    addRunning: (launch, tags) => {
      const instance = created(launch, { launchIndex: 0, tags, disableApiTermination: false });
      const { atMs, value } = instance.status;
      return put({
        ...instance,
        status: startTimeline({ ...value, state: 'running', reason: undefined }, atMs),
      });
    },
    tag: (id, tags) => {
      const instance = store.get(id);
      const keys = changedKeys(instance.tags.value, tags);
      if (keys.length === 0) return;
      const tagVersion = instance.tagVersion + 1;
      emitTagChange(
        account,
        put({ ...instance, tagVersion, tags: extendTimeline(instance.tags, tags, clock()) }),
        keys,
      );
    },
    update: (id, changes) => void put({ ...store.get(id), ...changes }),
  };
};

const emitStateChange = (account: Account, instance: SimulatedInstance): void => {
  const { atMs, value } = instance.status;
  account.onTransition({ instanceId: instance.id, state: value.state, atMs });
  void account.emit(stateChange({ instance, account: account.id, atMs }, value.state));
};

const emitTagChange = (account: Account, instance: SimulatedInstance, keys: readonly string[]): void => {
  const { atMs, value } = instance.tags;
  if (keys.length > 0) void account.emit(tagChange({ instance, account: account.id, atMs }, keys, value));
};

const changedKeys = (before: Tags, after: Tags): string[] =>
  Object.keys({ ...before, ...after }).filter((key) => before[key] !== after[key]);
