import { NotFoundError } from '../../shared/core/errors.ts';
import { isLaunched, type VmRecord } from '../../shared/core/record.ts';
import { pageToken, positionOf } from '../../shared/http/paging.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { VmRecords } from '../../shared/ports/records.ts';
import type { Recollection, ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import {
  isGone,
  type VmEvents,
  type VmPage,
  type VmResource,
  vmResource,
} from '../../shared/service-types/vm/resource.ts';

type Parts = {
  readonly records: Pick<VmRecords, 'read' | 'list' | 'end'>;
  readonly resourceStore: Pick<ResourceStore, 'recall'>;
  readonly now: Clock;
  readonly log: Log;
};

type Asked = {
  readonly region: string;
  /** 1 to 100. */
  readonly maximumPageSize: number;
  /** Of the page before; undefined for the first one. */
  readonly pageToken: string | undefined;
};

/** Reads VMs from what is remembered of them; EC2 is never asked. What is gone is not there. */
export const readVm = ({ records, resourceStore, now, log }: Parts) => {
  const recall = async (read: readonly VmRecord[]) => {
    const found = await resourceStore.recall(read.filter(isLaunched).map(({ instanceId }) => instanceId));
    return read.map(
      (record): Remembered => ({
        record,
        held: found.get(record.instanceId ?? '') ?? { owner: 'unknown' },
      }),
    );
  };

  const find = async (vmId: string): Promise<Remembered> => {
    const record = await records.read(vmId);
    const [found] = record ? await recall([record]) : [];
    if (!found) throw new NotFoundError(`there is no VM ${vmId}`);
    if (found.held.owner === 'unreadable') throw found.held.error;
    return found;
  };

  /** What cannot be read is left out of a page, not the end of it. */
  const isReadable = ({ record, held }: Remembered): boolean => {
    if (held.owner !== 'unreadable') return true;
    log.error('a VM is missing from a listing', { vmId: record.vmId, error: held.error });
    return false;
  };

  /** So that the next listing need not read past it. */
  const strike = async ({ vmId, instanceId }: VmRecord): Promise<void> => {
    if (instanceId === undefined) return;
    await records
      .end(vmId, instanceId)
      .catch((error: unknown) => log.warn('a VM that is gone could not be struck off', { vmId, error }));
  };

  return {
    /** @throws NotFoundError */
    async get(vmId: string): Promise<VmResource> {
      const { record, held } = await find(vmId);
      if (isGone(record, held, now())) throw new NotFoundError(`there is no VM ${vmId} any more`);
      return vmResource(record, held, now());
    },

    /**
     * A region's VMs in the order of their ids. A page may be short, and another one follow.
     * @throws InvalidArgumentError where the token is none.
     */
    async list({ region, maximumPageSize, pageToken: token }: Asked): Promise<VmPage> {
      const after = token ? positionOf(token, region) : '';
      const { records: read, last } = await records.list(region, after, maximumPageSize);
      const remembered = (await recall(read)).filter(isReadable);
      const gone = remembered.filter(({ record, held }) => isGone(record, held, now()));
      await Promise.all(gone.map(({ record }) => strike(record)));
      const there = remembered.filter((one) => !gone.includes(one));
      return {
        results: there.map(({ record, held }) => vmResource(record, held, now())),
        ...(last !== undefined && { next_page_token: pageToken(region, last) }),
      };
    },

    /** Also of a VM that is gone, while it is remembered. @throws NotFoundError */
    async events(vmId: string): Promise<VmEvents> {
      const { held } = await find(vmId);
      const history = held.owner === 'us' && held.vm.vmId === vmId ? held.vm.history : [];
      return {
        results: history.toReversed().map(({ at, status, message }) => ({
          status,
          message,
          update_time: new Date(at * 1000).toISOString(),
        })),
      };
    },
  };
};

type Remembered = { readonly record: VmRecord; readonly held: Recollection };

type LivingVmsParts = {
  readonly records: Pick<VmRecords, 'count'>;
  /** Of readVm, which strikes off what is gone. */
  readonly list: (asked: {
    readonly region: string;
    readonly maximumPageSize: number;
    readonly pageToken: string | undefined;
  }) => Promise<VmPage>;
  readonly regions: readonly string[];
  readonly maximumVms: number;
};

const largestPage = 100;

/**
 * How many VMs there are, over all regions: roughly while there is room, as a count of records costs little; one by one where the rough
 * count leaves none, for it also counts what was terminated without DCM.
 */
export const livingVms =
  ({ records, list, regions, maximumVms }: LivingVmsParts) =>
  async (): Promise<number> => {
    const roughly = sum(await Promise.all(regions.map((region) => records.count(region))));
    return roughly < maximumVms ? roughly : sum(await Promise.all(regions.map((region) => living(region))));

    async function living(region: string, pageToken?: string): Promise<number> {
      const page = await list({ region, maximumPageSize: largestPage, pageToken });
      const counted = page.results.filter(isLiving).length;
      return counted + (page.next_page_token ? await living(region, page.next_page_token) : 0);
    }
  };

const isLiving = ({ instance_id: instanceId, status }: VmResource): boolean =>
  instanceId !== undefined && status !== 'DELETING' && status !== 'FAILED';

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
