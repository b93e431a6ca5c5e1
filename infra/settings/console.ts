import * as z from 'zod';
import { secretName } from './setting-kinds.ts';

/** The console, with the status bus and the change feed that it reads. Without it the provider-api has no page. */
export const Console = z.strictObject({
  readers: z
    .array(secretName)
    .default([])
    .describe(
      'Names of secrets in the home region whose texts are tokens that permit reading alone, in all targets. The console shows buttons only to a token of `api`.',
    ),
});
