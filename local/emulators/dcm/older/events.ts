import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import * as z from 'zod';
import type { History } from './history.ts';

const Since = z.coerce.number().int().catch(0);

/**
 * `GET /events`: what was consumed, and from then on what is being consumed, as server-sent events. The id of each is its
 * position; `?since=` or a browser's `Last-Event-ID` is the position seen last. One that was not reached yet means all:
 * the control plane was started again.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export const events = (history: History): Hono =>
  new Hono().get('/', (context) =>
    streamSSE(context, async (stream) => {
      const gone = new AbortController();
      stream.onAbort(() => gone.abort());
      const since = Since.parse(context.req.header('last-event-id') ?? context.req.query('since'));
      for await (const consumed of consumedAfter(history, since, gone.signal))
        await stream.writeSSE({ id: String(consumed.position), data: JSON.stringify(consumed) });
    }),
  );

async function* consumedAfter(history: History, position: number, gone: AbortSignal) {
  let wake = () => {};
  const stop = history.onConsumed(() => wake());
  gone.addEventListener('abort', () => wake());
  const latest = history.entries().at(-1)?.position ?? 0;
  let seen = position > latest ? 0 : position;
  try {
    while (!gone.aborted) {
      const news = history.entries().filter((consumed) => consumed.position > seen);
      yield* news;
      seen = news.at(-1)?.position ?? seen;
      if (news.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    stop();
  }
}
