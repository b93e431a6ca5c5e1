import { describe, expect, it } from 'vitest';
import { type Asked, ec2sp, server } from './run.ts';

const change = (cursor: string, fields: object = {}) => ({
  ...{ cursor, kind: 'status', dcmId: 'web-1', serviceType: 'vm', target: 'eu-west-1' },
  ...{ status: 'RUNNING', message: 'running', time: '2026-01-01T00:00:00Z', ...fields },
});

const inventoryChange = {
  ...{ cursor: '9', kind: 'inventory', target: 'eu-west-1', collection: 'volumes', change: 'changed' },
  id: 'vol-1',
};

/** The text of an event stream. */
const stream = (...changes: readonly { cursor: string }[]) => ({
  headers: { 'content-type': 'text/event-stream; charset=utf-8' },
  body: `retry: 1\n\n: still connected\n\n${changes.map((one) => `id: ${one.cursor}\ndata: ${JSON.stringify(one)}\n\n`).join('')}`,
});

const page = (next: string, ...changes: readonly object[]) => ({
  body: { changes, next, pollAfterMs: 1, complete: true },
});

const watch = (url: string, ...args: string[]) =>
  ec2sp(['watch', '--inventory-url', url, '--limit', '2', ...args]);

const cursorsOf = (asked: readonly Asked[]) => asked.map(({ query }) => query.get('after'));

describe('ec2sp watch', () => {
  it('prints one line for each change of a stream, and reads on after the last one', async () => {
    const feed = await server(({ query }) =>
      query.get('after') === null ? stream(change('1')) : stream(change('2', { status: 'STOPPED' })),
    );

    const { stdout, exitCode } = await watch(feed.url);

    expect(stdout).toBe(
      '2026-01-01T00:00:00Z  eu-west-1  vm  web-1  RUNNING  running\n2026-01-01T00:00:00Z  eu-west-1  vm  web-1  STOPPED  running\n',
    );
    expect(cursorsOf(feed.asked)).toEqual([null, '1']);
    expect(exitCode).toBe(0);
  });

  it('polls where the feed answers with pages', async () => {
    const feed = await server(({ query }) =>
      query.get('after') === null ? page('5', change('4')) : page('7', change('6')),
    );

    const { stdout } = await watch(feed.url, '-o', 'json');

    expect(stdout.trim().split('\n')).toHaveLength(2);
    expect(cursorsOf(feed.asked)).toEqual([null, '5']);
  });

  it('leaves out what is not asked for', async () => {
    const feed = await server(() =>
      stream(
        change('1', { serviceType: 'container' }),
        inventoryChange,
        change('2', { dcmId: 'other' }),
        change('3'),
        change('4'),
      ),
    );

    const { stdout } = await watch(feed.url, '--type', 'vm', '--id', 'web-1', '-o', 'json');

    expect([...stdout.matchAll(/"cursor":"(\d)"/g)].map(([, cursor]) => cursor)).toEqual(['3', '4']);
  });

  it('shows changes of the inventory with --all', async () => {
    const feed = await server(() => stream(inventoryChange, change('10')));

    const { stdout } = await watch(feed.url, '--all');

    expect(stdout).toMatch(/^eu-west-1 {2}volumes {2}changed {2}vol-1\n/);
  });

  it('keeps control characters of messages from the terminal', async () => {
    const feed = await server(() => stream(change('1', { message: '\u001b[2Jgone' }), change('2')));

    const { stdout } = await watch(feed.url);

    expect(stdout).not.toContain('\u001b');
  });

  it('says since when it is not live, and misses nothing', async () => {
    const state = { isDown: false };
    const feed = await server(({ query }) => {
      if (query.get('after') === null) {
        state.isDown = true;
        return stream(change('1'));
      }
      if (state.isDown) {
        state.isDown = false;
        return { headers: { 'content-type': 'text/event-stream', 'content-length': '1000' }, body: 'id: ' };
      }
      return stream(change('2'));
    });
    setTimeout(() => feed.closeConnections(), 1_500);

    const { stdout, stderr } = await watch(feed.url, '-o', 'json');

    expect(stderr).toMatch(/^Not live since \d{4}-.*Connecting again\.\nLive again; nothing was missed\.\n$/);
    expect(stdout).toContain('"cursor":"2"');
  });
});
