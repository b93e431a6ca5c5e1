import type { Account } from './account.ts';
import { Ec2Error } from './ec2-error.ts';
import type { Filters } from './filter.ts';
import type { SimulatedInstance } from './instance.ts';
import { seededRandom } from './random.ts';

/** @throws Ec2Error for a page that fails; asked again, it may not. */
export const failSometimes = ({ faults, random }: Account): void => {
  const { failPages } = faults();
  if (failPages === 0 || random() >= failPages) return;
  throw random() < 0.5
    ? new Ec2Error('InternalError', 'An internal error has occurred', 500)
    : new Ec2Error('Unavailable', "The server is overloaded and can't handle the request.", 503);
};

/** How much of a page is shown; undefined: all of it. One page in four is empty. */
export const shortening = ({ faults, random }: Account): ((length: number) => number) | undefined =>
  faults().shortPages ? (length) => (random() < 0.25 ? 0 : Math.ceil(random() * length)) : undefined;

/** Whether a listing misses an instance that it ought to find: one by tags may, one by ids never. */
export const overlooking = (
  { InstanceId, Filter }: { readonly InstanceId?: readonly string[] | undefined; readonly Filter: Filters },
  { faults, seed }: Account,
): ((instance: Pick<SimulatedInstance, 'number'>) => boolean) => {
  const { emptyListings, partialListings } = faults();
  const names = Filter.map(({ Name }) => Name);
  const asksById = InstanceId !== undefined || names.includes('instance-id');
  if (asksById || !names.some((name) => name.startsWith('tag'))) return () => false;
  return ({ number }) => emptyListings || seededRandom(seed + number)() < partialListings;
};
