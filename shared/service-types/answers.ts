import * as z from 'zod/mini';
import { type Kind, nameOf } from '../core/kind.ts';

/** Answers of the API that have the same form for every service type. */
type About = Pick<Kind, 'serviceType' | 'collection'>;

/** `Vm`, as in the names of schemas and operations. */
export const schemaNameOf = ({ serviceType }: Pick<Kind, 'serviceType'>): string => capitalised(serviceType);

export const capitalised = (word: string): string => `${word.charAt(0).toUpperCase()}${word.slice(1)}`;

const described = (description: string) => z.string().check(z.describe(description));

/** A page of a collection: of VMs by the key `results`, as AEP has it; of the others by the collection's own name too, as DCM's clients read it. */
export const pageOf = <Resource extends z.ZodMiniType>(kind: About, resource: Resource) => {
  const name = nameOf(kind.serviceType);
  return z
    .object({
      results: z.array(resource),
      ...(kind.collection !== 'vms' && {
        [kind.collection]: z.array(resource).check(z.describe('The same as `results`.')),
      }),
      next_page_token: z.optional(
        described(
          `The token of the next page; absent on the last page. A page without ${name}s can have one.`,
        ),
      ),
    })
    .check(z.meta({ id: `${schemaNameOf(kind)}Page`, description: `A page of ${name}s.` }));
};

/** The published statuses of a resource, of the states that `service` gave it. */
export const eventsOf = <Status extends z.ZodMiniType<string>>(
  kind: About,
  { service, status }: { readonly service: string; readonly status: Status },
) => {
  const id = `${schemaNameOf(kind)}Event`;
  const Event = z
    .object({
      status,
      message: described('The state and its reason, in words.'),
      update_time: z.iso.datetime().check(z.describe(`When ${service} entered the state.`)),
    })
    .check(z.meta({ id, description: 'One status that was published, or is about to be.' }));
  return z
    .object({ results: z.array(Event) })
    .check(z.meta({ id: `${id}s`, description: 'At most ten statuses, the newest first.' }));
};
