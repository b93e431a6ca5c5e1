import { invalidCombination } from './ec2-error.ts';
import { type Filters, isLiteral } from './filter.ts';
import type { SeenInstance, SimulatedInstance } from './instance.ts';
import type { Paging } from './page.ts';
import type { Region } from './region.ts';

type Request = Paging & { readonly InstanceId?: readonly string[] | undefined; readonly Filter: Filters };

/**
 * The instances that a Describe is to go through, by age, and read only as far as a page needs.
 * @throws Ec2Error where ids are combined with paging, or one is not known.
 */
export const listedInstances = (
  { InstanceId, Filter, MaxResults, NextToken }: Request,
  region: Region,
  includes: (instance: SeenInstance) => boolean,
) => {
  if (InstanceId && (MaxResults !== undefined || NextToken !== undefined)) {
    throw invalidCombination('The parameter instancesSet cannot be used with the parameter maxResults');
  }
  const named = InstanceId && region.find(InstanceId).map(({ id }) => id);
  const ids = named ?? idsIn(Filter);
  return {
    *itemsAfter(place: string) {
      const after = Number(place);
      const candidates = ids === undefined ? region.all(after) : byAge(ids, region, after);
      for (const instance of region.seen(candidates)) {
        if (includes(instance)) yield instance;
      }
    },
    placeOf,
  };
};

/** Sorts by age. */
export const placeOf = ({ number }: Pick<SeenInstance, 'number'>): string => String(number).padStart(12, '0');

/** The only ids that a filter can let pass; with them nobody needs to go through all instances. */
const idsIn = (filters: Filters): readonly string[] | undefined =>
  filters.find(({ Name, Value }) => Name === 'instance-id' && Value.every(isLiteral))?.Value;

const byAge = (ids: readonly string[], region: Region, after: number): readonly SimulatedInstance[] =>
  [...new Set(ids)]
    .flatMap((id) => region.lookUp(id) ?? [])
    .filter(({ number }) => number > after)
    .sort((a, b) => a.number - b.number);
