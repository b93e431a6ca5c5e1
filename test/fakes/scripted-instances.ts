import { UnavailableError } from '../../shared/core/errors.ts';
import type { Instance, Instances } from '../../shared/service-types/vm/ports.ts';
import type { ImpairedInstances, StatusCheck } from '../../shared/service-types/vm/status-checks.ts';

export type ScriptedInstances = Instances &
  ImpairedInstances & {
    /** The instances of EC2 in us-east-1; a test changes them. */
    readonly known: Map<string, Instance>;
    /** The ids of each call. */
    readonly calls: (readonly string[])[];
    throttled: boolean;
    /** The instances that fail a status check, and since when; a test changes them. */
    readonly failing: Record<StatusCheck, Map<string, number | undefined>>;
    /** The status checks that were requested. */
    readonly checked: StatusCheck[];
    /** Pages listed so far, and whether the last of them ended its listing. */
    listed: number;
    lastPage: boolean;
  };

/** The Instances port with instances that the test sets. */
export const scriptedInstances = (...instances: Partial<Instance>[]): ScriptedInstances => {
  const known = new Map(instances.map((instance) => [instance.resourceId ?? '', described(instance)]));
  const calls: (readonly string[])[] = [];
  return {
    known,
    calls,
    throttled: false,
    failing: { instance: new Map(), system: new Map(), 'attached-ebs': new Map() },
    checked: [],
    listed: 0,
    lastPage: true,
    async describe({ region }, ids) {
      calls.push(ids);
      if (this.throttled) throw new UnavailableError(`EC2 in ${region} throttled the call`);
      if (region !== 'us-east-1') return new Map();
      return new Map(
        ids.flatMap((id) => [known.get(id)].flatMap((found) => (found ? [[id, found] as const] : []))),
      );
    },
    async impaired({ region }, check) {
      this.checked.push(check);
      if (this.throttled) throw new UnavailableError(`EC2 in ${region} throttled the call`);
      const running = ([id]: readonly [string, unknown]) => known.get(id)?.state === 'running';
      return new Map(region === 'us-east-1' ? [...this.failing[check]].filter(running) : []);
    },
    async list({ target: { region }, tag, token = '0' }) {
      if (this.throttled) throw new UnavailableError(`EC2 in ${region} throttled the call`);
      const tagged = [...known.values()].filter(
        ({ tags }) => region === 'us-east-1' && tags[tag.key] === tag.value,
      );
      const end = Number(token) + largestPage;
      this.listed += 1;
      this.lastPage = end >= tagged.length;
      return {
        resources: tagged.slice(Number(token), end),
        nextToken: end < tagged.length ? String(end) : undefined,
      };
    },
  };
};

const largestPage = 1000;

/** An instance as EC2 describes it: by default running, launched long ago, without tags. */
export const described = (instance: Partial<Instance>): Instance => ({
  resourceId: 'i-00000000000000001',
  account: '123456789012',
  state: 'running',
  tags: {},
  reason: undefined,
  launchedAtMs: 0,
  privateAddress: '10.0.0.4',
  publicAddress: '',
  ...instance,
});
