import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { GoneError, InvalidArgumentError } from '../../../shared/core/errors.ts';
import { changesOperation, type ReadsChanges, readChanges } from '../../../shared/http/changes.ts';
import { router, targetPaths } from '../../../shared/http/router.ts';
import type { Change, ChangeFeed } from '../../../shared/ports/change-feed.ts';
import { memoryLog } from '../../fakes/silent.ts';

const change = (id: string): Change => ({
  ...{ kind: 'inventory', target: 'eu-west-1', collection: 'instances', change: 'changed', id },
});
const accounts = { prod: { id: '222222222222', regions: ['us-east-1'] } };
const startMs = Date.UTC(2026, 10, 30, 10);

/** A feed whose cursors are `c0`, `c1` …, behind the router; pausing moves its clock. `renews`: the next cursor where there is nothing new. */
const served = ({ streams = false, renews }: { streams?: boolean; renews?: string } = {}) => {
  const clock = { ms: startMs };
  const changes: { atMs: number; change: Change }[] = [];
  const reads: (string | undefined)[] = [];
  const due: { atMs: number; change: Change }[] = [];
  const append = (id: string, more: { target?: string } = {}) =>
    changes.push({ atMs: clock.ms, change: { ...change(id), ...more } });
  const read: ChangeFeed['read'] = async (after, limit) => {
    reads.push(after);
    if (after === 'old') throw new GoneError('changes after it are gone');
    const from = after === undefined ? changes.length : Number(/^c(\d+)$/.exec(after)?.[1] ?? Number.NaN);
    if (Number.isNaN(from)) throw new InvalidArgumentError('after: expected a cursor');
    const page = changes
      .slice(from, from + limit)
      .map((one, index) => ({ cursor: `c${from + index + 1}`, change: one.change }));
    const to = from + page.length;
    return {
      changes: page,
      next: page.length === 0 && renews !== undefined ? renews : `c${to}`,
      movedAtMs: changes[to - 1]?.atMs ?? 0,
      complete: to === changes.length,
    };
  };
  const pause = async (ms: number) => {
    clock.ms += ms;
    while (due[0] !== undefined && due[0].atMs <= clock.ms) changes.push(...due.splice(0, 1));
  };
  const log = memoryLog();
  const operation = changesOperation<ReadsChanges>({ id: z.string(), logField: 'id' });
  const app = router<ReadsChanges>({
    operations: [operation],
    useCasesIn: () => ({
      readChanges: readChanges({ feed: { read }, accounts, streams, now: () => clock.ms, log, pause }),
    }),
    authentication: { challenge: '', insufficientScope: '', check: async () => () => true },
    targets: targetPaths({ homeRegion: 'us-east-1', accounts: {} }),
    correlate: () => undefined,
    log,
    now: () => clock.ms,
  });
  const get = async (query = '', headers: Record<string, string> = {}) => {
    const request = new Request(`https://api/api/v1alpha1/changes${query}`, { headers });
    return app.fetch(request, { requestId: 'r' });
  };
  return { clock, append, reads, due, get, log };
};

const sse = { accept: 'text/event-stream' };
const eventText = (cursor: string, id: string) =>
  `id: ${cursor}\ndata: ${JSON.stringify({ cursor, ...change(id) })}`;

describe('the changes operation', () => {
  it('begins at the newest cursor, and gives what comes after it', async () => {
    const { append, get } = served();
    append('i-0');
    const first = await get();
    expect(await first.json()).toEqual({ changes: [], next: 'c1', pollAfterMs: 1000, complete: true });
    expect(first.headers.get('etag')).toBe('"c1"');

    append('i-1');
    append('i-2');
    const second = await get('?after=c1&limit=1');
    expect(await second.json()).toEqual({
      changes: [{ cursor: 'c2', ...change('i-1') }],
      next: 'c2',
      pollAfterMs: 0,
      complete: false,
    });
    expect(await (await get('?after=c2')).json()).toMatchObject({ next: 'c3', complete: true });
  });

  it('names a target as paths do, and by the account’s number where it is no longer configured', async () => {
    const { append, get } = served();
    append('i-1');
    append('i-2', { target: '222222222222/us-east-1' });
    append('i-3', { target: '333333333333/us-east-1' });
    const named = ['eu-west-1', 'prod/us-east-1', '333333333333/us-east-1'];

    const { changes } = Object(await (await get('?after=c0')).json());
    expect(changes.map((one: unknown) => Object(one).target)).toEqual(named);
    const stream = await (await get('?after=c0', sse)).text();
    expect([...stream.matchAll(/"target":"([^"]*)"/g)].map(([, target]) => target)).toEqual(named);
  });

  it('answers 304 with when to ask again, until there is a change', async () => {
    const { append, get } = served();
    append('i-0');
    for (const query of ['', '?after=c1'])
      for (const tag of ['"c1"', 'W/"c1"', '"c9", "c1"']) {
        if (query === '' && tag.includes('c9')) continue;
        const response = await get(query, { 'if-none-match': tag });
        expect([response.status, await response.text()]).toEqual([304, '']);
        expect(response.headers.get('pollAfterMs')).toBe('1000');
        expect(response.headers.get('etag')).toBe('"c1"');
      }

    expect((await get('?after=c0', { 'if-none-match': '*' })).status).toBe(304);

    append('i-1');
    const response = await get('', { 'if-none-match': '"c1"' });
    expect([response.status, await response.json()]).toMatchObject([
      200,
      { changes: [{ id: 'i-1' }], next: 'c2' },
    ]);
  });

  it('has clients ask each second while something moved in the last minute, else every five', async () => {
    const { append, clock, get } = served();
    append('i-0');
    const poll = async () => Object(await (await get('?after=c1')).json()).pollAfterMs;

    clock.ms += 59_999;
    expect(await poll()).toBe(1000);
    clock.ms += 1;
    expect(await poll()).toBe(5000);
  });

  it('waits for a change as long as the request says', async () => {
    const { clock, due, get, reads } = served();
    due.push({ atMs: startMs + 7000, change: change('i-1') });

    expect(await (await get('?after=c0&wait=20')).json()).toMatchObject({ changes: [{ id: 'i-1' }] });
    expect(clock.ms - startMs).toBe(10_000);
    expect(await (await get('?after=c1&wait=3')).json()).toMatchObject({ changes: [] });
    expect(clock.ms - startMs).toBe(13_000);
    expect(reads.length).toBeLessThan(12);
  });

  it.each([
    ['?after=old', 410, 'gone'],
    ['?after=x', 400, 'invalid-argument'],
    ['?limit=0', 400, 'invalid-argument'],
    ['?limit=1001', 400, 'invalid-argument'],
    ['?limit=ten', 400, 'invalid-argument'],
    ['?wait=21', 400, 'invalid-argument'],
  ])('answers %s with a problem, also as an event stream', async (query, status, code) => {
    for (const headers of [{}, sse]) {
      const response = await served().get(query, headers);
      expect([response.status, Object(await response.json()).type]).toEqual([
        status,
        expect.stringContaining(code),
      ]);
    }
  });

  it('streams events whose ids are cursors, and a comment each 15 s, for an hour', async () => {
    const { append, clock, due, get } = served({ streams: true });
    append('i-0');
    append('i-1');
    due.push({ atMs: startMs + 20_000, change: change('i-2') });
    due.push({ atMs: startMs + 3_599_000, change: change('i-3') });

    const response = await get('?after=c0', sse);
    const lines = (await response.text()).split('\n\n');

    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const heartbeat = (cursor: string) => `: still connected\nid: ${cursor}`;
    expect(lines.slice(0, 6)).toEqual([
      'retry: 1000',
      eventText('c1', 'i-0'),
      eventText('c2', 'i-1'),
      heartbeat('c2'),
      eventText('c3', 'i-2'),
      heartbeat('c3'),
    ]);
    expect(lines.filter((line) => line === heartbeat('c3')).length).toBe(Math.floor((3_599 - 20) / 15));
    expect(lines.slice(-2)).toEqual([eventText('c4', 'i-3'), '']);
    expect(clock.ms - startMs).toBe(3_600_000);
  });

  it('reads on after the Last-Event-ID, and gives a client without a cursor one', async () => {
    const { append, get } = served();
    append('i-0');
    append('i-1');

    expect(await (await get('?after=c0', { ...sse, 'last-event-id': 'c1' })).text()).toMatch(
      /^retry: 1000\n\nid: c2\n[^\n]*i-1[^\n]*\n\n$/,
    );
    expect(await (await get('', sse)).text()).toBe('retry: 1000\nid: c2\n\n');
  });

  it('ends the event stream with the first changes where the host does not stream', async () => {
    const { clock, due, get } = served();
    due.push({ atMs: startMs + 3000, change: change('i-1') });

    expect(await (await get('?after=c0&wait=20', sse)).text()).toContain('id: c1\n');
    expect(clock.ms - startMs).toBe(3000);
    await get('?after=c1&wait=5', sse).then((response) => response.text());
    expect(clock.ms - startMs).toBe(8000);
  });

  it('ends with the first changes where the host does not stream, however many follow', async () => {
    const { append, get, reads } = served();
    for (let n = 0; n < 5; n += 1) append(`i-${n}`);

    const text = await (await get('?after=c0&limit=2&wait=20', sse)).text();

    expect([...text.matchAll(/^id: (.*)$/gm)].map(([, id]) => id)).toEqual(['c1', 'c2']);
    expect(reads).toEqual(['c0']);
  });

  it('gives a client that waited for nothing a cursor that lasts longer', async () => {
    const { get } = served({ renews: 'c0b' });

    expect(await (await get('?after=c0', sse)).text()).toBe('retry: 5000\nid: c0b\n\n');
  });

  it('reads no further while the client takes nothing, and not at all once it has left', async () => {
    const { append, get, reads, log } = served({ streams: true });
    for (let n = 0; n < 50; n += 1) append(`i-${n}`);
    const reader = (await get('?after=c0&limit=1', sse)).body?.getReader();
    await reader?.read();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(reads.length).toBeLessThanOrEqual(3);

    await reader?.cancel();
    const before = reads.length;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([reads.length, log.lines]).toEqual([before, ['info: answered']]);
  });
});
