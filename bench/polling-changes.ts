import { holdQueued } from './polling-past.ts';
import type { PolledRegions } from './polling-regions.ts';

/** One VM in so many changes from one listing to the next: 1 %, on every page. */
const oneIn = 100;

/**
 * A function that changes the next VMs of the region, and none twice within a hundred calls, after the fleet has come to hold the last ones.
 * It rejects where the poller has not queued those, each once.
 */
export const changes = (polled: PolledRegions, region: string, vms: number) => {
  let round = 0;
  return async (): Promise<void> => {
    const ids = new Set(polled.queued.map(({ detail }) => detail['instance-id']));
    const expected = round === 0 ? 0 : vms / oneIn;
    if (ids.size !== expected || polled.queued.length !== expected)
      throw new Error(`The poller queued ${polled.queued.length} changes of ${expected}.`);
    await holdQueued(polled);
    polled.ec2.toggle(region, round % oneIn, oneIn);
    round += 1;
  };
};
