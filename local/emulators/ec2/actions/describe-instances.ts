import * as z from 'zod';
import { seededRandom } from '../../random.ts';
import type { Account } from '../account.ts';
import { action } from '../action.ts';
import { type Fields, Filters, filterFor, isLiteral } from '../filter.ts';
import { addressesOf, type DescribedInstance, type SimulatedInstance } from '../instance.ts';
import { reservationXml } from '../instance-xml.ts';
import { stateCode } from '../lifecycle.ts';
import { Paging, pageFrom } from '../page.ts';
import { Ec2Error, invalidCombination, items } from '../query-protocol.ts';
import type { Region } from '../region.ts';

const Request = Paging.extend({ InstanceId: z.array(z.string()).max(1000).optional(), Filter: Filters });

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html */
export const describeInstances = action(Request, (request, region) => {
  const { account } = region;
  const passes = filterFor(request.Filter, fields);
  const isHidden = hiddenFromListing(request, account);
  const listed = listedInstances(request, region, (instance) => !isHidden(instance) && passes(instance));
  failRandomly(account);
  const { page, nextToken } = pageFrom({ ...listed, shorten: shortenPage(account) }, request);
  return () => ({
    reservationSet: items(byReservation(page).map((members) => reservationXml(members, account.id))),
    nextToken,
  });
});

const byReservation = (instances: readonly DescribedInstance[]): readonly DescribedInstance[][] => {
  const reservations = new Map<string, DescribedInstance[]>();
  for (const instance of instances) {
    const { reservationId } = instance.launch;
    const members = reservations.get(reservationId) ?? [];
    members.push(instance);
    reservations.set(reservationId, members);
  }
  return [...reservations.values()];
};

const fields: Fields<DescribedInstance> = {
  'availability-zone': ({ launch }) => [launch.availabilityZone],
  'client-token': ({ launch }) => [launch.clientToken],
  'image-id': ({ launch }) => [launch.imageId],
  'instance-id': ({ id }) => [id],
  'instance-lifecycle': ({ launch }) => [launch.spot && 'spot'],
  'instance-state-code': ({ state }) => [String(stateCode[state])],
  'instance-state-name': ({ state }) => [state],
  'instance-type': ({ launch }) => [launch.instanceType],
  'ip-address': (instance) => [addressesOf(instance).publicIp],
  'key-name': ({ launch }) => [launch.keyName],
  'private-ip-address': (instance) => [addressesOf(instance).privateIp],
  'reservation-id': ({ launch }) => [launch.reservationId],
  'state-reason-code': ({ reason }) => [reason?.code],
  'subnet-id': ({ launch }) => [launch.subnetId],
  'tag:': ({ tags }, key) => (Object.hasOwn(tags, key) ? [tags[key]] : []),
  'tag-key': ({ tags }) => Object.keys(tags),
  'tag-value': ({ tags }) => Object.values(tags),
};

type ListingRequest = Paging & {
  readonly InstanceId?: readonly string[] | undefined;
  readonly Filter: Filters;
};

/**
 * The instances of a Describe call, oldest first, read only as far as a page needs.
 * @throws Ec2Error where ids are combined with paging, or an id is unknown.
 */
export const listedInstances = (
  { InstanceId, Filter, MaxResults, NextToken }: ListingRequest,
  region: Region,
  includes: (instance: DescribedInstance) => boolean,
) => {
  if (InstanceId && (MaxResults !== undefined || NextToken !== undefined)) {
    throw invalidCombination('The parameter instancesSet cannot be used with the parameter maxResults');
  }
  const named = InstanceId && region.find(InstanceId).map(({ id }) => id);
  const ids = named ?? idsIn(Filter);
  return {
    *itemsAfter(position: string) {
      const after = Number(position);
      const candidates = ids === undefined ? region.all(after) : byAge(ids, region, after);
      for (const instance of region.described(candidates)) {
        if (includes(instance)) yield instance;
      }
    },
    positionOf,
  };
};

/** Position of an instance in a list, by age. */
export const positionOf = ({ number }: Pick<DescribedInstance, 'number'>): string =>
  String(number).padStart(12, '0');

/** The ids of a literal instance-id filter, so that not all instances have to be tested. */
const idsIn = (filters: Filters): readonly string[] | undefined =>
  filters.find(({ Name, Value }) => Name === 'instance-id' && Value.every(isLiteral))?.Value;

const byAge = (ids: readonly string[], region: Region, after: number): readonly SimulatedInstance[] =>
  [...new Set(ids)]
    .flatMap((id) => region.lookUp(id) ?? [])
    .filter(({ number }) => number > after)
    .sort((a, b) => a.number - b.number);

/** Applies the fault `failPages`. @throws Ec2Error */
const failRandomly = ({ faults, random }: Account): void => {
  const { failPages } = faults();
  if (failPages === 0 || random() >= failPages) return;
  throw random() < 0.5
    ? new Ec2Error('InternalError', 'An internal error has occurred', 500)
    : new Ec2Error('Unavailable', "The server is overloaded and can't handle the request.", 503);
};

/** Applies the fault `shortPages`: how much of a page is shown, undefined for all of it. One page in four is empty. */
const shortenPage = ({ faults, random }: Account): ((length: number) => number) | undefined =>
  faults().shortPages ? (length) => (random() < 0.25 ? 0 : Math.ceil(random() * length)) : undefined;

/** Applies the faults `emptyListings` and `partialListings`: which instances a listing by tags does not show. */
const hiddenFromListing = (
  { InstanceId, Filter }: { readonly InstanceId?: readonly string[] | undefined; readonly Filter: Filters },
  { faults, seed }: Account,
): ((instance: Pick<SimulatedInstance, 'number'>) => boolean) => {
  const { emptyListings, partialListings } = faults();
  const names = Filter.map(({ Name }) => Name);
  const asksById = InstanceId !== undefined || names.includes('instance-id');
  if (asksById || !names.some((name) => name.startsWith('tag'))) return () => false;
  return ({ number }) => emptyListings || seededRandom(seed + number)() < partialListings;
};
