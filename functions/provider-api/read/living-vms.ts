import type { VmRecords } from '../../../shared/ports/records.ts';
import type { VmPage, VmResource } from '../../../shared/service-types/vm/resource.ts';

type Parts = {
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
  ({ records, list, regions, maximumVms }: Parts) =>
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
