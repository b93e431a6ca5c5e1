import { regionOfZone } from '../../../shared/adapters/aws/regions.ts';
import { InvalidArgumentError, UnprocessableError } from '../../../shared/domain/errors.ts';
import type { LaunchPlan, Placement } from '../../../shared/domain/launch.ts';
import type { RegionNetwork } from '../../../shared/domain/provisioning.ts';
import type { InstanceType } from '../../../shared/ports/offerings.ts';
import type { AwsHints } from '../spec/hints.ts';

type Site = Pick<Placement, 'subnetId' | 'zone'>;

export type OneOrMore<Thing> = readonly [Thing, ...Thing[]];

/**
 * Up to three tries, the best first: the smallest type in two places, then the next type, so that neither a zone nor a type without
 * capacity is the end. Where only one place is given, the types alone differ.
 */
export const placementsOf = (
  types: OneOrMore<InstanceType>,
  sites: OneOrMore<Site>,
): LaunchPlan['placements'] => {
  const [best] = types;
  const [first, second] = sites;
  const at = (index: number): Site => sites[index % sites.length] ?? first;
  const fallbacks =
    second === undefined
      ? types.slice(1, 3).map((type) => place(type, first))
      : [place(best, second), place(types[1] ?? best, at(2))];
  const tried = [place(best, first)];
  const others = fallbacks.filter((fallback) => isNew(fallback, tried));
  return [place(best, first), ...others];
};

const place = ({ instanceType }: InstanceType, site: Site): Placement => ({ instanceType, ...site });

/** Two sites and one type: the third try would be the first again. */
const isNew = (placement: Placement, tried: readonly Placement[]): boolean =>
  !tried.some(
    ({ instanceType, subnetId }) =>
      instanceType === placement.instanceType && subnetId === placement.subnetId,
  );

/**
 * Where a VM may be: as the hints say, else in the region's subnets, else where EC2 puts it.
 * @throws InvalidArgumentError for a zone of another region; UnprocessableError for one where the operator has no subnet.
 */
export const sitesOf = (
  { subnet_id: subnetId, availability_zone: zone }: AwsHints,
  { region, subnets }: { readonly region: string } & Pick<RegionNetwork, 'subnets'>,
): OneOrMore<Site> => {
  const subject = `provider_hints.aws.availability_zone: ${zone}`;
  if (zone !== undefined && regionOfZone(zone) !== region)
    throw new InvalidArgumentError(`${subject} is not in ${region}`);
  const site = zone === undefined ? {} : { zone };
  if (subnetId !== undefined) return [{ ...site, subnetId }];
  if (subnets.length === 0) return [site];
  const [first, ...others] = subnets
    .filter((subnet) => zone === undefined || subnet.zone === zone)
    .map(({ id, zone: its }) => ({ subnetId: id, zone: its }));
  if (first === undefined) {
    const zones = [...new Set(subnets.map((subnet) => subnet.zone))];
    throw new UnprocessableError(`${subject} has no subnet of this provider's, only ${zones.join(', ')} do`);
  }
  return [first, ...others];
};
