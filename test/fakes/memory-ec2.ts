import { CapacityError, FailedPreconditionError, NotFoundError } from '../../shared/core/errors.ts';
import type { Target } from '../../shared/core/target.ts';
import type { Placement } from '../../shared/service-types/vm/launch.ts';
import type {
  Instance,
  InstanceActions,
  Instances,
  LaunchedInstance,
} from '../../shared/service-types/vm/ports.ts';
import { described } from './scripted-instances.ts';

export type MemoryEc2 = InstanceActions &
  Pick<Instances, 'list' | 'describe'> & {
    readonly instances: Map<string, Instance>;
    /** The calls so far, such as `run t3.small in us-east-1a` or `stop i-…`. */
    readonly calls: string[];
    readonly tokens: Set<string>;
    /** The errors that refuse the next calls of RunInstances, one each. */
    readonly refusals: Error[];
    /** Whether a placement has no capacity. */
    isFull: (placement: Placement) => boolean;
    /** Instances that are protected from termination. */
    readonly isProtected: Set<string>;
    living(): Instance[];
  };

/**
 * EC2 in one region of an account, for one VM at a time: instances by client token, capacity, termination protection. The ids of its instances
 * end in the numbers from `firstNumber` on.
 */
export const memoryEc2 = (
  now: () => number,
  { account = '123456789012', firstNumber = 1 } = {},
): MemoryEc2 => {
  const instances = new Map<string, Instance>();
  const byToken = new Map<string, LaunchedInstance>();

  const launch = (
    tags: Instance['tags'],
    { instanceType, zone = '' }: Placement,
    clientToken: string,
  ): LaunchedInstance => {
    const instanceId = `i-${String(instances.size + firstNumber).padStart(17, '0')}`;
    const launchedAtMs = Math.floor(now() / 1000) * 1000;
    const privateAddress = `10.0.0.${instances.size + 4}`;
    const facts = { account, zone, privateAddress, isWindows: false, launchedAtMs };
    const shown = { resourceId: instanceId, tags, state: 'pending', instanceType, clientToken } as const;
    instances.set(instanceId, described({ ...facts, ...shown }));
    return { instanceId, ...facts };
  };

  const known = (instanceId: string): Instance => {
    const instance = instances.get(instanceId);
    if (!instance) throw new NotFoundError(`there is no instance ${instanceId}`);
    return instance;
  };

  const change = (verb: string, state: Instance['state'] | undefined) =>
    async function (this: MemoryEc2, _target: Target, instanceId: string) {
      this.calls.push(`${verb} ${instanceId}`);
      const instance = known(instanceId);
      if (state) instances.set(instanceId, { ...instance, state });
    };

  return {
    instances,
    calls: [],
    tokens: new Set(),
    refusals: [],
    isFull: () => false,
    isProtected: new Set(),
    living: () => [...instances.values()].filter(({ state }) => state !== 'shutting-down'),

    async run({ tags }, placement, clientToken) {
      this.calls.push(`run ${placement.instanceType} in ${placement.zone}`);
      this.tokens.add(clientToken);
      const refusal = this.refusals.shift();
      if (refusal) throw refusal;
      const before = byToken.get(clientToken);
      if (before) return before;
      if (this.isFull(placement)) throw new CapacityError(`no room for ${placement.instanceType}`);
      const launched = launch(tags, placement, clientToken);
      byToken.set(clientToken, launched);
      return launched;
    },
    async dryRun() {},
    start: change('start', 'pending'),
    stop: change('stop', 'stopping'),
    reboot: change('reboot', undefined),
    async terminate(_target, instanceId) {
      this.calls.push(`terminate ${instanceId}`);
      if (this.isProtected.has(instanceId))
        throw new FailedPreconditionError(`${instanceId} is protected from termination`);
      instances.set(instanceId, { ...known(instanceId), state: 'shutting-down' });
    },
    async describe(_target, ids) {
      return new Map(
        ids.flatMap((id) => [instances.get(id)].flatMap((found) => (found ? [[id, found] as const] : []))),
      );
    },
    async list({ tag }) {
      const tagged = [...instances.values()].filter(({ tags }) => tags[tag.key] === tag.value);
      return { resources: tagged, nextToken: undefined };
    },
  };
};
