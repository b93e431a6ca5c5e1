import * as z from 'zod/mini';
import { InvalidArgumentError } from '../../../shared/domain/errors.ts';

/** Paths below the collection that are no VM. */
const reserved: readonly string[] = ['health'];

/** The DCM id of a VM. @see https://aep.dev/122 */
export const VmId = z.string().check(
  z.regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, {
    error: 'expected 1 to 63 lower-case letters, digits and inner hyphens',
  }),
  z.refine((id) => !reserved.includes(id), { error: 'expected another id: this one is a path of the API' }),
  z.meta({ description: 'The id that DCM has given the VM.', example: 'vm-1' }),
);

/** @throws InvalidArgumentError where no VM can have this id. */
export const vmIdOf = (id: string, what: string): string => {
  const parsed = VmId.safeParse(id);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(`${what}: ${parsed.error.issues[0]?.message}`);
};
