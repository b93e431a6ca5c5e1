import * as z from 'zod/mini';
import {
  InvalidArgumentError,
  NotFoundError,
  PermissionDeniedError,
  UnavailableError,
} from '../../shared/core/errors.ts';
import type { Collection, Entry } from '../../shared/core/inventory/entry.ts';
import type { Call } from '../../shared/http/operation.ts';
import type { LogReader } from '../../shared/ports/logs.ts';
import { flag, paging } from './pages.ts';
import { redacted } from './redact.ts';

export const LogQuery = z.object({
  ...paging,
  tail: z
    ._default(flag('tail'), false)
    .check(z.describe('`true`: the last lines, and `offset` counts from the end.')),
  container: z
    .optional(z.string().check(z.maxLength(255)))
    .check(
      z.describe(
        'Of an instance: `console` (the default), or `console-latest` for the output as of now, which only Nitro instances have. Of a task: a container’s name; its first one by default.',
      ),
    ),
});
export type LogQuery = z.output<typeof LogQuery>;

export const LogLines = z.array(z.string()).check(
  z.meta({
    id: 'LogLines',
    description: 'Lines, the oldest first, without secrets that are recognised as such.',
  }),
);

export type LogReaders = {
  /** Undefined: the operator does not permit to read console output. */
  readonly console: LogReader | undefined;
  readonly task: LogReader;
};

/** Lambda's answers have 6 MB. */
const maximumBytes = 4_500_000;

/** The lines of the log of an instance or a task. One call of AWS. */
export const readLog = async (
  readers: LogReaders,
  { collection, entry: { id, object } }: { readonly collection: Collection; readonly entry: Entry },
  { target, query }: Pick<Call<LogQuery>, 'target' | 'query'>,
): Promise<Response> => {
  const { tail, container } = query;
  const isTask = collection === 'containers';
  const stream = isTask ? containerIn(object, container) : consoleOf(container);
  const read = isTask ? readers.task : readers.console;
  if (read === undefined)
    throw new PermissionDeniedError('the settings of the inventory do not permit to read console output');
  const { text, updatedAt } = await read({ target, id, stream, newest: tail }).catch(asOurTrouble);
  const lines = text === '' ? [] : redacted(text.replace(/\r?\n$/, '').split(/\r?\n/));
  const headers = updatedAt && { 'last-modified': updatedAt.toUTCString() };
  return Response.json(within(sliceOf(lines, query), tail), { headers: { ...headers } });
};

/** AWS refuses the provider, and not the caller, whose credentials 403 is about; a retry succeeds once the reader's role permits it. */
const asOurTrouble = (cause: unknown): never => {
  throw cause instanceof PermissionDeniedError ? new UnavailableError(cause.message, { cause }) : cause;
};

const sliceOf = (
  lines: readonly string[],
  { tail, offset, limit = lines.length }: Pick<LogQuery, 'tail' | 'offset' | 'limit'>,
): readonly string[] => {
  if (!tail) return lines.slice(offset, offset + limit);
  const end = Math.max(lines.length - offset, 0);
  return lines.slice(Math.max(end - limit, 0), end);
};

/** As many lines as an answer has room for. */
const within = (lines: readonly string[], tail: boolean): readonly string[] => {
  let bytes = 0;
  const inOrder = tail ? [...lines].reverse() : lines;
  const over = inOrder.findIndex((line) => {
    bytes += Buffer.byteLength(JSON.stringify(line)) + 1;
    return bytes > maximumBytes;
  });
  if (over === -1) return lines;
  return tail ? lines.slice(lines.length - over) : lines.slice(0, over);
};

const consoleOf = (container = 'console'): string => {
  if (container === 'console' || container === 'console-latest') return container;
  throw new InvalidArgumentError(
    `container: expected console or console-latest, got ${JSON.stringify(container)}`,
  );
};

const TaskObject = z.object({ containers: z._default(z.array(z.object({ name: z.string() })), []) });

const containerIn = (object: Entry['object'], container: string | undefined): string => {
  const { data } = TaskObject.safeParse(object);
  const names = (data?.containers ?? []).map(({ name }) => name);
  if (names.length === 0) throw new NotFoundError('the task has no containers yet');
  const name = container ?? names[0] ?? '';
  if (names.includes(name)) return name;
  throw new InvalidArgumentError(`container: expected one of ${names.join(', ')}`);
};
