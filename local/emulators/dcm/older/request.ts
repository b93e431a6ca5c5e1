import type * as z from 'zod';
import { InvalidArgumentError } from '../../../../shared/core/errors.ts';

/** What a caller sent, as the schema wants it. @throws InvalidArgumentError that says what was expected where. */
export const parsed = <Output>(schema: z.ZodType<Output>, input: unknown): Output => {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const what = result.error.issues.map(({ path, message }) => [...path, message].join(': ')).join('; ');
  throw new InvalidArgumentError(what, { cause: result.error });
};
