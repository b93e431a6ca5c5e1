import type { Observation } from '../../shared/core/message.ts';
import type { Resource } from '../../shared/core/resource.ts';
import type { Recorded, ResourceStore } from '../../shared/ports/resource-store.ts';
import type { InstanceState } from '../../shared/service-types/vm/kind.ts';
import { dcmId, halfPastTen, observed } from '../fixtures/resource-messages.ts';
import { statusOf } from '../fixtures/statuses.ts';

/** Makes a Fleet; given the clock, in milliseconds. */
export type MakeResourceStore = (now: () => number) => Promise<ResourceStore>;

let instances = 0;

/** A fleet for each test, and an instance that no other test has. */
export const resourceStoreSubject = (make: MakeResourceStore) => {
  const setup = async () => {
    instances += 1;
    const resourceId = `i-${String(instances).padStart(17, '0')}`;
    const clock = { ms: halfPastTen * 1000 };
    const resourceStore = await make(() => clock.ms);
    const claim = { resourceId, dcmId, region: 'us-east-1', account: '123456789012' };
    const see = (state: InstanceState, seconds = 0, more: Partial<Observation> = {}) => {
      const observation = observed(state, seconds, { resourceId, ...more });
      return resourceStore.record(observation, statusOf(observation));
    };
    const read = async () => (await resourceStore.read([resourceId])).get(resourceId);
    return { resourceStore, clock, resourceId, claim, see, read };
  };

  const vmIn = (recorded: Recorded | undefined): Resource => {
    if (recorded === undefined || recorded.outcome === 'unknown') throw new Error('expected a VM');
    return recorded.vm;
  };
  const statuses = (recorded: Recorded) => vmIn(recorded).outbox.map(({ status }) => status);

  return { setup, vmIn, statuses };
};
