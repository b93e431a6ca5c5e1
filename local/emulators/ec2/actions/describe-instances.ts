import * as z from 'zod';
import { action } from '../action.ts';
import { addressesOf } from '../addresses.ts';
import { type Fields, Filters, passing } from '../filter.ts';
import type { SeenInstance } from '../instance.ts';
import { reservationXml } from '../instance-xml.ts';
import { stateCode } from '../lifecycle.ts';
import { listedInstances } from '../listed-instances.ts';
import { failSometimes, overlooking, shortening } from '../listing-faults.ts';
import { Paging, pageFrom } from '../page.ts';
import { items } from '../xml.ts';

const Request = Paging.extend({ InstanceId: z.array(z.string()).max(1000).optional(), Filter: Filters });

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html */
export const describeInstances = action(Request, (request, region) => {
  const { account } = region;
  const passes = passing(request.Filter, fields);
  const isOverlooked = overlooking(request, account);
  const listed = listedInstances(request, region, (instance) => !isOverlooked(instance) && passes(instance));
  failSometimes(account);
  const { page, nextToken } = pageFrom({ ...listed, shorten: shortening(account) }, request);
  return () => ({
    reservationSet: items(byReservation(page).map((members) => reservationXml(members, account.id))),
    nextToken,
  });
});

const byReservation = (instances: readonly SeenInstance[]): readonly SeenInstance[][] => {
  const reservations = new Map<string, SeenInstance[]>();
  for (const instance of instances) {
    const { reservationId } = instance.launch;
    const members = reservations.get(reservationId) ?? [];
    members.push(instance);
    reservations.set(reservationId, members);
  }
  return [...reservations.values()];
};

const fields: Fields<SeenInstance> = {
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
