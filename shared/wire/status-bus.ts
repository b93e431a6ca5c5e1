import * as z from 'zod/mini';
import { reasonOf, UnreadableError } from '../core/errors.ts';

const typePrefix = 'dcm.status.';

/**
 * An event of the status bus (shared/ports/status-bus.ts), as its rules put it into the queues of its readers. `more`: what a reader needs of
 * the CloudEvent that DCM got, besides what every reader does.
 */
export const busEvent = <More extends z.core.$ZodLooseShape>(more: More) =>
  z.object({
    /** The key of the target. */
    resources: z.tuple([z.string().check(z.minLength(1))]),
    detail: z.object({
      type: z.string().check(z.startsWith(typePrefix)),
      data: z.object({ id: z.string(), status: z.string(), message: z.optional(z.string()) }),
      ...more,
    }),
  });

/** The service type in the type of a status's CloudEvent. */
export const serviceTypeOf = ({ type }: { readonly type: string }): string => type.slice(typePrefix.length);

/** Reads a message of the status bus. @throws UnreadableError where `parse` throws: the message is no status of the bus. */
export const readBusEvent = <Content>(body: string, parse: (json: unknown) => Content): Content => {
  try {
    return parse(JSON.parse(body));
  } catch (cause) {
    throw new UnreadableError(`the message is no status of the status bus: ${reasonOf(cause)}`, { cause });
  }
};
