import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type Asked, ec2sp, emptyFolder, problem, server } from './run.ts';

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

  it('prints lines on a terminal that has no size', async () => {
    const feed = await server(() => stream(change('1'), change('2')));
    const size = { columns: 0, rows: 0 };

    const { stdout } = await ec2sp(['watch', '--inventory-url', feed.url, '--limit', '2'], {
      typed: [],
      size,
    });

    expect(stripVTControlCharacters(stdout)).toMatch(/^\d{4}.* web-1 {2}RUNNING {2}running\n/);
  });

  it('counts an answer of HTTP 429 as not live, and misses nothing', async () => {
    const state = { refusals: 0 };
    const feed = await server(({ query }) => {
      if (query.get('after') === null) return stream(change('1'));
      state.refusals += 1;
      return state.refusals === 1 ? problem(429, 'the table is throttled', true) : stream(change('2'));
    });

    const { stdout, stderr, exitCode } = await watch(feed.url, '-o', 'json');

    expect(stderr).toMatch(
      /^Not live since \d{4}-.*: The table is throttled\. .*\nLive again; nothing was missed\.\n$/,
    );
    expect(stdout).toContain('"cursor":"2"');
    expect(exitCode).toBe(0);
  });

  it('ends where the feed refuses the token later', async () => {
    const feed = await server(({ query }) =>
      query.get('after') === null ? stream(change('1')) : problem(401, 'the credentials are not accepted'),
    );

    const { stderr, exitCode } = await watch(feed.url);

    expect(stderr).toContain('Give the token');
    expect(exitCode).toBe(1);
  });

  it.each([
    ['at the start', ['--after', 'old']],
    ['after an absence', []],
  ])('says that changes are no longer kept, and begins again: %s', async (_, flags) => {
    const old = flags.length === 0 ? '1' : 'old';
    const state = { isStarted: flags.length > 0 };
    const feed = await server(({ query }) => {
      if (query.get('after') === old) return problem(410, 'changes after that cursor are no longer kept');
      const one = state.isStarted ? stream(change('8'), change('9')) : stream(change('1'));
      state.isStarted = true;
      return one;
    });

    const { stdout, stderr, exitCode } = await watch(feed.url, '-o', 'json', ...flags);

    expect(stderr).toBe(
      'Some changes may be missing: those after the last one that arrived are no longer kept. Live again, from now on.\n',
    );
    expect(cursorsOf(feed.asked).slice(-2)).toEqual([old, null]);
    expect(stdout).toContain('"cursor":"8"');
    expect(exitCode).toBe(0);
  });

  it('shows changes of the inventory alone with --inventory, of one collection with --type', async () => {
    const other = { ...inventoryChange, cursor: '11', collection: 'vpcs' };
    const feed = await server(() => stream(inventoryChange, change('10'), other));

    const both = await watch(feed.url, '--inventory', '-o', 'json');
    const one = await watch(feed.url, '--inventory', '--type', 'vpcs', '--limit', '1');

    expect([...both.stdout.matchAll(/"kind":"(\w+)"/g)].map(([, kind]) => kind)).toEqual([
      'inventory',
      'inventory',
    ]);
    expect(one.stdout).toBe('eu-west-1  vpcs  changed  vol-1\n');
  });

  it('leaves out other targets with --target', async () => {
    const feed = await server(() => stream(change('1'), change('2', { target: 'prod/eu-west-1' })));

    const { stdout } = await watch(feed.url, '--target', 'prod/eu-west-1', '--limit', '1', '-o', 'json');

    expect(stdout).toContain('"cursor":"2"');
    expect(stdout).not.toContain('"cursor":"1"');
  });

  it.each([
    [['--type', 'vms'], '--type is vms: expected vm, container or cluster'],
    [['--inventory', '--type', 'vm'], '--type is vm: expected, with --inventory, one of instances, volumes'],
    [['--target', 'mars'], 'mars is no target: expected a region such as eu-west-1'],
    [['--all', '--inventory'], '--all and --inventory contradict each other'],
    [['--limit', '0'], '--limit is 0: expected a whole number from 1'],
    [['--limit', '1.5'], '--limit is 1.5'],
  ])('refuses %j', async (flags, sentence) => {
    const { exitCode, stderr } = await ec2sp(['watch', '--inventory-url', 'http://127.0.0.1:9', ...flags]);

    expect(stderr).toContain(sentence);
    expect(exitCode).toBe(2);
  });

  it('reads the feed of the provider where only that is known, also with a target', async () => {
    const feed = await server(() => stream(change('1'), change('2')));

    const { stdout } = await ec2sp([
      ...['watch', '--url', `${feed.url}/`, '--target', 'eu-west-1', '--limit', '2', '-o', 'json'],
    ]);

    expect(feed.asked.map(({ path }) => path)).toEqual(['/api/v1alpha1/changes']);
    expect(stdout).toContain('"cursor":"2"');
  });

  it('reads another feed than that of npm start where --url names another provider', async () => {
    const [feed, laptop] = [
      await server(() => stream(change('1'), change('2'))),
      await server(() => undefined),
    ];
    const folder = emptyFolder();
    mkdirSync(join(folder, '.local'));
    const local = { providerApiUrl: laptop.url, providerApiToken: 't', lambdaUrl: laptop.url };
    writeFileSync(
      join(folder, '.local/endpoints.json'),
      JSON.stringify({ ...local, controlPlaneUrl: laptop.url, inventoryUrl: laptop.url }),
    );

    await ec2sp(['watch', '--url', feed.url, '--limit', '2'], { folder });

    expect([feed.asked.length, laptop.asked.length]).toEqual([1, 0]);
  });

  it.each([
    ['has no feed', problem(404, 'there is no such path'), /^This deployment has no feed of changes: /, 4],
    [
      'is no API',
      { headers: { 'content-type': 'text/html' }, body: '<p>' },
      /^The answer has another form/,
      1,
    ],
  ])('says so where the server %s', async (_, answer, sentence, expected) => {
    const feed = await server(() => answer);

    const { stderr, exitCode } = await watch(feed.url);

    expect(stderr).toMatch(sentence);
    expect(exitCode).toBe(expected);
  });
});

/** An event stream that stays open. */
const openStream = (...changes: readonly { cursor: string }[]) => {
  const { headers, body } = stream(...changes);
  return { headers: { ...headers, 'content-length': '100000' }, body };
};

/** Runs `ec2sp watch` until its output has a text, then presses Ctrl-C. */
const watchUntil = async (
  url: string,
  text: string,
  { args = [], typed }: { readonly args?: readonly string[]; readonly typed?: readonly string[] } = {},
) => {
  const ctrlC = new AbortController();
  let written = '';
  return ec2sp(['watch', '--inventory-url', url, ...args], {
    ...(typed && { typed }),
    interrupted: ctrlC.signal,
    onOutput: (part) => {
      written += part;
      if (stripVTControlCharacters(written).includes(text)) ctrlC.abort();
    },
  });
};

describe('ec2sp watch, at Ctrl-C', () => {
  it('ends with 130 while a stream is open, and keeps what it printed', async () => {
    const feed = await server(() => openStream(change('1')));

    const { exitCode, stdout, stderr } = await watchUntil(feed.url, 'web-1');

    expect(stdout).toContain('web-1  RUNNING');
    expect(stderr).toBe('');
    expect(exitCode).toBe(130);
  });

  it('ends with 130 while the server is away', async () => {
    const feed = await server(({ query }) =>
      query.get('after') === null ? stream(change('1')) : problem(503, 'away'),
    );
    const ctrlC = new AbortController();
    setTimeout(() => ctrlC.abort(), 1_500);

    const { exitCode, stderr } = await ec2sp(['watch', '--inventory-url', feed.url], {
      interrupted: ctrlC.signal,
    });

    expect(stderr).toContain('Not live since');
    expect(exitCode).toBe(130);
  });
});

const esc = '\u001b';
const terminalOutput = new RegExp(`${esc}\\[\\??(\\d*)[;\\d]*([A-Za-z])|([^${esc}\\n]+)|(\\n)`, 'g');

/** The lines that a terminal shows at the end, after all movements of its cursor. */
const screenOf = (output: string): string[] => {
  const lines = [''];
  const at = { line: 0, column: 0 };
  const write = (text: string) => {
    const line = (lines[at.line] ?? '').padEnd(at.column);
    lines[at.line] = line.slice(0, at.column) + text + line.slice(at.column + text.length);
    at.column += text.length;
  };
  const newLine = () => Object.assign(at, { line: at.line + 1, column: 0 });
  const moves: Readonly<Record<string, (count: number) => unknown>> = {
    A: (count) => (at.line = Math.max(0, at.line - count)),
    B: (count) => (at.line += count),
    G: () => (at.column = 0),
    K: (what) => (lines[at.line] = what === 2 ? '' : (lines[at.line] ?? '').slice(0, at.column)),
  };
  for (const [, count, move = '', text, breaks] of output.matchAll(terminalOutput)) {
    if (breaks) newLine();
    else if (text !== undefined) write(text);
    else moves[move]?.(count === '' ? 1 : Number(count));
  }
  return lines.map((line) => (line ?? '').trimEnd()).filter((line) => line !== '');
};

describe('ec2sp watch, on a terminal', () => {
  it('shows the newest change of each resource, the newest first, and that it is live', async () => {
    const feed = await server(() =>
      openStream(
        change('1', { status: 'PROVISIONING', message: 'pending' }),
        change('2', { dcmId: 'web-2' }),
        change('3', { time: '2026-01-01T00:00:09Z' }),
        inventoryChange,
        change('5', { dcmId: 'shop-1', serviceType: 'container', status: 'FAILED', message: 'END' }),
      ),
    );

    const { stdout, stderr, exitCode } = await watchUntil(feed.url, 'END', { typed: [], args: ['--all'] });

    expect(screenOf(stdout)).toEqual([
      'Live. Ctrl-C ends this.',
      'TIME                  TARGET     TYPE       ID      STATUS   MESSAGE',
      '2026-01-01T00:00:00Z  eu-west-1  container  shop-1  FAILED   END',
      '                      eu-west-1  volumes    vol-1   changed',
      '2026-01-01T00:00:09Z  eu-west-1  vm         web-1   RUNNING  running',
      '2026-01-01T00:00:00Z  eu-west-1  vm         web-2   RUNNING  running',
    ]);
    expect(stderr).not.toContain('Live');
    expect(exitCode).toBe(130);
  });

  it('has one line for each resource, which no message makes longer than the terminal', async () => {
    const feed = await server(() =>
      openStream(change('1', { message: 'm'.repeat(500) }), change('2', { dcmId: 'web-2', message: 'END' })),
    );

    const { stdout } = await watchUntil(feed.url, 'END', { typed: [] });

    const screen = screenOf(stdout);
    expect(Math.max(...screen.map(({ length }) => length))).toBe(80);
    expect(screen.slice(2).map((line) => /web-\d/.exec(line)?.[0])).toEqual(['web-2', 'web-1']);
  });

  it('says in the table since when it is not live, and reads on from its cursor', async () => {
    const state = { refusals: 0 };
    const feed = await server(({ query }) => {
      if (query.get('after') === null) return stream(change('1'));
      state.refusals += 1;
      return state.refusals === 1 ? problem(503, 'away') : openStream(change('2', { message: 'END' }));
    });

    const { stdout, stderr } = await watchUntil(feed.url, 'END', { typed: [] });

    expect(stripVTControlCharacters(stdout)).toMatch(
      /Not live since 2\d{3}-[^\n]*Z: Away\. Connecting again\./,
    );
    expect(screenOf(stdout)[0]).toBe('Live again; nothing was missed.');
    expect(screenOf(stdout)).toHaveLength(3);
    expect(stderr).not.toContain('Not live');
    expect(cursorsOf(feed.asked)).toEqual([null, '1', '1']);
  });

  it('says that nothing has changed yet', async () => {
    const feed = await server(() => openStream());

    const { stdout } = await watchUntil(feed.url, 'Nothing has changed since the start.', { typed: [] });

    expect(screenOf(stdout)).toEqual(['Live. Ctrl-C ends this.', 'Nothing has changed since the start.']);
  });
});
