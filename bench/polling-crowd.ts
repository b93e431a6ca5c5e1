import { TagKeys } from '../shared/core/ownership.ts';
import type { Instance, Instances, Page } from '../shared/ports/instances.ts';
import { account } from './workload.ts';

const keys = TagKeys.parse({});
const largestPage = 1000;

export type Crowd = Instances & {
  /** How often EC2 was called, for whatever. */
  calls(): number;
  /** Whether the last page that was listed was a listing's last. */
  isAtEnd(): boolean;
  /** A page as EC2 would list it, without the call; counted from 0. */
  page(region: string, page: number): Page;
  /** Stops every `step`th instance of a region from `first` on, or starts those that are stopped. */
  toggle(region: string, first: number, step: number): void;
};

type Options = { readonly regions: readonly string[]; readonly vms: number; readonly provider: string };

/**
 * EC2 with so many old VMs of ours in each region. A page is made up when it is listed and kept nowhere, so that what a listing
 * keeps can be told from what it lists.
 */
export const crowd = ({ regions, vms, provider }: Options): Crowd => {
  const stopped = new Set<string>();
  let calls = 0;
  let atEnd = true;

  const instance = (region: string, index: number): Instance => {
    const instanceId = crowdId(regions.indexOf(region), index);
    const vmId = vmIdOfCrowd(instanceId);
    return {
      instanceId,
      account,
      state: stopped.has(instanceId) ? 'stopped' : 'running',
      tags: { [keys.managedBy]: 'dcm', [keys.instanceId]: vmId, [keys.provider]: provider },
      reason: undefined,
      launchedAtMs: 0,
    };
  };

  const page = (region: string, number: number): Page => {
    const start = number * largestPage;
    const length = Math.min(largestPage, vms - start);
    return {
      instances: Array.from({ length }, (_, index) => instance(region, start + index)),
      nextToken: start + length < vms ? String(number + 1) : undefined,
    };
  };

  return {
    calls: () => calls,
    isAtEnd: () => atEnd,
    page,
    toggle(region, first, step) {
      for (let index = first; index < vms; index += step) {
        const id = crowdId(regions.indexOf(region), index);
        if (!stopped.delete(id)) stopped.add(id);
      }
    },
    async describe() {
      calls += 1;
      return new Map();
    },
    async impaired() {
      calls += 1;
      return new Map();
    },
    async list({ region, token = '0' }) {
      calls += 1;
      const listed = page(region, Number(token));
      atEnd = listed.nextToken === undefined;
      return listed;
    },
  };
};

const crowdId = (region: number, index: number) => `i-${region}${index.toString(16).padStart(16, '0')}`;

/** What DCM would call an instance of a crowd. */
export const vmIdOfCrowd = (instanceId: string) => `00000000-0000-4000-8000-${instanceId.slice(-12)}`;
