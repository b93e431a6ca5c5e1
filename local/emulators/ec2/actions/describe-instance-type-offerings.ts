import * as z from 'zod';
import { action } from '../action.ts';
import { type Fields, Filters, filtered } from '../filter.ts';
import { instanceTypes, isOffered } from '../instance-types.ts';
import { zonesOf } from '../network.ts';
import { Paging, pageOf } from '../page.ts';
import { items } from '../xml.ts';

type Offering = {
  readonly instanceType: string;
  readonly locationType: 'region' | 'availability-zone';
  readonly location: string;
};

const Request = Paging.extend({
  LocationType: z.enum(['region', 'availability-zone']).default('region'),
  Filter: Filters,
});

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypeOfferings.html */
export const describeInstanceTypeOfferings = action(
  Request,
  ({ LocationType: locationType, Filter, ...paging }, { name }) => {
    const locations = locationType === 'region' ? [name] : zonesOf(name);
    const offerings = instanceTypes.flatMap((type) =>
      locations
        .filter((location) => isOffered(type, location))
        .map((location): Offering => ({ instanceType: type.name, locationType, location })),
    );
    const { page, nextToken } = pageOf(filtered(offerings, Filter, fields), paging, placeOf);
    return () => ({ instanceTypeOfferingSet: items(page), nextToken });
  },
);

const placeOf = ({ instanceType, location }: Offering): string => `${instanceType} ${location}`;

const fields: Fields<Offering> = {
  'instance-type': ({ instanceType }) => [instanceType],
  location: ({ location }) => [location],
};
