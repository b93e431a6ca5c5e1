import * as z from 'zod/mini';
import { call } from '../api.ts';
import type { Action } from '../context.ts';
import { CommandError, exitCodes } from '../terminal.ts';

const Options = z.object({
  ...{ from: z.optional(z.string()), to: z.optional(z.string()), format: z.optional(z.string()) },
});

/** Prints the provider's answer as it is: it is made for other programs. */
export const usage: Action = async (context, { options }) => {
  const { from, to, format } = Options.parse(options);
  const api = await context.configuration.providerApi();
  const query = { from, to, format };
  try {
    const { text } = await call(context, api, { path: 'api/v1alpha1/usage', query });
    context.talk.print(text.endsWith('\n') ? text : `${text}\n`);
  } catch (cause) {
    if (!(cause instanceof CommandError && cause.exitCode === exitCodes.notFound)) throw cause;
    throw new CommandError(
      'This deployment does not record usage: its settings have no section usage (docs/configuration.md).',
      { exitCode: exitCodes.notFound, cause },
    );
  }
  return undefined;
};
