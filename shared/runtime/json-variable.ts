import { readFileSync } from 'node:fs';
import * as z from 'zod/mini';
import { reasonOf } from '../core/errors.ts';

/** An environment variable that holds JSON. */
export const json = z.pipe(
  z.string(),
  z.transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.issues.push({ code: 'custom', message: 'must be JSON', input: text });
      return z.NEVER;
    }
  }),
);

/**
 * An environment variable that names a file with JSON, for values that are too large for the environment. A relative path is relative to
 * the function's code, which is the working directory in Lambda.
 */
export const jsonFile = z.pipe(
  z.pipe(
    z.string(),
    z.transform((path, context): string => {
      try {
        return readFileSync(path, 'utf8');
      } catch (cause) {
        context.issues.push({
          code: 'custom',
          message: `must name a file that can be read: ${reasonOf(cause)}`,
          input: path,
        });
        return z.NEVER;
      }
    }),
  ),
  json,
);
