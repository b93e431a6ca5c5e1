import type { Clock } from '../../../shared/ports/clock.ts';
import { InstanceId } from '../../../shared/service-types/vm/kind.ts';
import { type SimulatedInstance, startTimeline } from './instance.ts';
import { Ec2Error } from './query-protocol.ts';

/** The instances of one region. A terminated instance first loses its tags, and is then removed. */
export type InstanceStore = {
  /** Oldest first: the instances after this number, or all. */
  all(after?: number): Iterable<SimulatedInstance>;
  /** undefined for an unknown id. */
  lookUp(id: string): SimulatedInstance | undefined;
  /** @throws Ec2Error for an unknown id. */
  get(id: string): SimulatedInstance;
  /** Each instance once. @throws Ec2Error for a malformed or unknown id. */
  find(ids: readonly string[]): readonly SimulatedInstance[];
  /** Adds or replaces an instance. */
  put(instance: SimulatedInstance): SimulatedInstance;
};

/** How long after its termination an instance still has its tags, and how long it can be described. */
export type Retention = { readonly tagsRetainedMs: number; readonly retainedMs: number };

export const defaultRetention: Retention = { tagsRetainedMs: 600_000, retainedMs: 3_600_000 };

export const instanceStore = (clock: Clock, { tagsRetainedMs, retainedMs }: Retention): InstanceStore => {
  const instances = new Map<string, SimulatedInstance>();
  const known = (instance: SimulatedInstance): SimulatedInstance | undefined => {
    const { id, status } = instance;
    if (status.value.state !== 'terminated') return instance;
    const endedForMs = clock() - status.atMs;
    if (endedForMs > retainedMs) return void instances.delete(id);
    return endedForMs > tagsRetainedMs
      ? { ...instance, tags: startTimeline({}, status.atMs + tagsRetainedMs) }
      : instance;
  };
  const lookUp: InstanceStore['lookUp'] = (id) => {
    const instance = instances.get(id);
    return instance && known(instance);
  };
  return {
    lookUp,
    *all(after = 0) {
      for (const instance of instances.values()) {
        const found = instance.number > after ? known(instance) : undefined;
        if (found) yield found;
      }
    },
    get: (id) => {
      const instance = lookUp(id);
      if (instance === undefined) throw unknownIds([id]);
      return instance;
    },
    find: (ids) => {
      const malformed = ids.find((id) => !InstanceId.safeParse(id).success);
      if (malformed !== undefined) throw malformedId(malformed);
      const wanted = [...new Set(ids)];
      const found = wanted.flatMap((id) => lookUp(id) ?? []);
      if (found.length < wanted.length) throw unknownIds(wanted.filter((id) => lookUp(id) === undefined));
      return found;
    },
    put: (instance) => {
      instances.set(instance.id, instance);
      return instance;
    },
  };
};

const malformedId = (id: string): Ec2Error =>
  new Ec2Error('InvalidInstanceID.Malformed', `Invalid id: "${id}" (expecting "i-...")`);

const unknownIds = (ids: readonly string[]): Ec2Error => {
  const named = ids.length === 1 ? `ID '${ids[0]}' does` : `IDs '${ids.join(', ')}' do`;
  return new Ec2Error('InvalidInstanceID.NotFound', `The instance ${named} not exist`);
};
