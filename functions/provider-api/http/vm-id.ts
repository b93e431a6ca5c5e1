import { InvalidArgumentError } from '../../../shared/domain/errors.ts';
import { VmId } from '../../../shared/domain/vm-id.ts';

/** @throws InvalidArgumentError where no VM can have this id. */
export const vmIdOf = (id: string, what: string): string => {
  const parsed = VmId.safeParse(id);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(`${what}: ${parsed.error.issues[0]?.message}`);
};
