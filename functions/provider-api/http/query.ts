import * as z from 'zod/mini';
import { InvalidArgumentError } from '../../../shared/domain/errors.ts';

/** The parameters of operations that have none. */
export const NoQuery = z.object({});

/**
 * The query parameters that an operation has; others are ignored, and so are empty ones.
 * @throws InvalidArgumentError that names the parameter and what was expected.
 */
export const queryOf = <Query>(schema: z.ZodMiniType<Query>, parameters: URLSearchParams): Query => {
  const given = new Map<string, string>(); // an object would have members of its own, such as __proto__
  for (const [name, value] of parameters) {
    if (value === '') continue;
    if (given.has(name)) throw new InvalidArgumentError(`${name}: expected it once`);
    given.set(name, value);
  }
  const parsed = schema.safeParse(Object.fromEntries(given));
  if (parsed.success) return parsed.data;
  const refused = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new InvalidArgumentError(refused.join('; '));
};
