import type { Clock } from '../../../shared/ports/clock.ts';
import { InstanceId } from '../../../shared/service-types/vm/kind.ts';
import { type SimulatedInstance, startTimeline } from './instance.ts';
import { Ec2Error } from './query-protocol.ts';

/** What EC2 still knows of the instances of one region: of a terminated one first its tags go, then all. */
export type InstanceStore = {
  /** Oldest first: those that came after the one with this number, or all. */
  all(after?: number): Iterable<SimulatedInstance>;
  /** undefined: it is not known. */
  lookUp(id: string): SimulatedInstance | undefined;
  /** @throws Ec2Error where it is not known. */
  get(id: string): SimulatedInstance;
  /** Each of them once. @throws Ec2Error where an id is none, or is not known. */
  find(ids: readonly string[]): readonly SimulatedInstance[];
  /** Adds an instance, or takes the place of its older self. */
  put(instance: SimulatedInstance): SimulatedInstance;
};

/** How long after its end an instance still has its tags, and is known at all. */
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
