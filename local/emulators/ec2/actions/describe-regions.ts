import * as z from 'zod';
import { action } from '../action.ts';
import { applyFilters, type Fields, Filters } from '../filter.ts';
import { invalidValue, items } from '../query-protocol.ts';

const names = [
  'ap-northeast-1',
  'ap-northeast-2',
  'ap-northeast-3',
  'ap-south-1',
  'ap-southeast-1',
  'ap-southeast-2',
  'ca-central-1',
  'eu-central-1',
  'eu-north-1',
  'eu-west-1',
  'eu-west-2',
  'eu-west-3',
  'sa-east-1',
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
];

const regions = names.map((regionName) => ({
  regionName,
  regionEndpoint: `ec2.${regionName}.amazonaws.com`,
  optInStatus: 'opt-in-not-required',
}));

/**
 * The regions that every account can use without opt-in.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html
 */
export const describeRegions = action(
  z.object({ RegionName: z.array(z.string()).optional(), Filter: Filters }),
  ({ RegionName, Filter }) => {
    const unknown = RegionName?.find((name) => !names.includes(name));
    if (unknown !== undefined) throw invalidValue(`Invalid region name: [${unknown}]`);
    const named = regions.filter(({ regionName }) => RegionName?.includes(regionName) ?? true);
    const found = applyFilters(named, Filter, fields);
    return () => ({ regionInfo: items(found) });
  },
);

const fields: Fields<(typeof regions)[number]> = {
  endpoint: ({ regionEndpoint }) => [regionEndpoint],
  'opt-in-status': ({ optInStatus }) => [optInStatus],
  'region-name': ({ regionName }) => [regionName],
};
