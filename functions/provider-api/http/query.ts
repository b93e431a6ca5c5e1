import * as z from 'zod/mini';
import { InvalidArgumentError } from '../../../shared/domain/errors.ts';

/** The parameters of operations that have none. */
export const NoQuery = z.object({});

/**
 * The query parameters that an operation has; others are ignored, and so are empty ones.
 * @throws InvalidArgumentError that names the parameter and what was expected.
 */
export const queryOf = <Query>(schema: z.ZodMiniType<Query>, parameters: URLSearchParams): Query => {
  const given: Record<string, string> = {};
  for (const [name, value] of parameters) {
    if (value === '') continue;
    if (given[name] !== undefined) throw new InvalidArgumentError(`${name}: expected it once`);
    given[name] = value;
  }
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const refused = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new InvalidArgumentError(refused.join('; '));
};
