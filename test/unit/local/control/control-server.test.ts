import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { startControlServer } from '../../../../local/control/start-control-server.ts';
import type { NatsServer } from '../../../../local/emulators/nats-server/start-nats-server.ts';
import type { LocalServer } from '../../../../local/processes/loopback.ts';
import { startSimulation } from '../ec2/simulation.ts';

const consoleOrigin = 'http://127.0.0.1:4000';
const State = z.object({ faults: z.array(z.object({ id: z.string(), isOn: z.boolean() })) });

/** A nats-server that is only noted to run or not. */
const notedNats = (noted: string[]): NatsServer => ({
  ...{ url: 'nats://127.0.0.1:1', port: 1, pid: 1 },
  stop: async () => void noted.push('stop'),
  start: async () => void noted.push('start'),
  ...{ freeze: () => undefined, thaw: () => undefined, [Symbol.asyncDispose]: async () => undefined },
});

describe("the laptop's control server", () => {
  const noted: string[] = [];
  let simulation: Awaited<ReturnType<typeof startSimulation>>;
  let server: LocalServer;
  let other: LocalServer;

  beforeAll(async () => {
    simulation = await startSimulation();
    const common = { consoleOrigin, token: 'the-token', ecs: undefined, eks: undefined };
    server = await startControlServer({ ...common, nats: notedNats(noted), ec2: simulation.simulator });
    other = await startControlServer({ ...common, nats: undefined, ec2: undefined });
  });
  beforeEach(() => void noted.splice(0));
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await other?.[Symbol.asyncDispose]();
    await simulation?.[Symbol.asyncDispose]();
  });

  const ask = (path: string, body?: object, { origin = consoleOrigin, at = server } = {}) =>
    fetch(`${at.url}${path}`, {
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
      headers: { origin, 'content-type': 'application/json' },
    });
  const faultsOn = async () => {
    const { faults } = State.parse(await (await ask('/state')).json());
    return faults.flatMap(({ id, isOn }) => (isOn ? [id] : []));
  };

  it('gives the console its token, what can be broken and what can happen', async () => {
    const response = await ask('/state');

    expect(response.headers.get('access-control-allow-origin')).toBe(consoleOrigin);
    expect(await response.json()).toMatchObject({
      ...{ token: 'the-token', nats: 'running' },
      faults: [{ id: 'ec2-lost-events', isOn: false }, {}, {}, {}, {}],
      happenings: { vm: [{ id: 'impair' }, {}, { id: 'fail' }, {}], container: [], cluster: [] },
    });
  });

  it('has nothing to break where another NATS and another EC2 are used', async () => {
    expect(await (await ask('/state', undefined, { at: other })).json()).toMatchObject({
      ...{ nats: 'external', faults: [] },
      happenings: { vm: [], container: [], cluster: [] },
    });
  });

  it.each(['https://evil.example', 'http://127.0.0.1:4001', 'http://localhost:4000', 'null'])(
    'refuses a page of %s: it gets no token and changes nothing',
    async (origin) => {
      for (const [path, body] of [
        ['/state', undefined],
        ['/nats', { running: false }],
        ['/faults/ec2-outage', { isOn: true }],
      ] as const) {
        const response = await ask(path, body, { origin });

        expect(response.status).toBe(403);
        expect(response.headers.get('access-control-allow-origin')).toBeNull();
        expect(await response.text()).not.toContain('the-token');
      }
      expect([noted, await faultsOn()]).toEqual([[], []]);
    },
  );

  it('refuses a request without an origin, as a script or a form of another page sends it', async () => {
    expect((await fetch(`${server.url}/state`)).status).toBe(403);
    expect((await fetch(`${server.url}/nats`, { method: 'POST', body: '{"running":false}' })).status).toBe(
      403,
    );
    expect(noted).toEqual([]);
  });

  it('refuses a request to another host name that leads here', async () => {
    const { port } = new URL(server.url);
    const status = await new Promise((resolve, reject) => {
      const headers = { host: `rebound.example:${port}`, origin: consoleOrigin };
      request({ host: '127.0.0.1', port, path: '/state', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });

    expect(status).toBe(403);
  });

  it('stops NATS and starts it again', async () => {
    expect(await (await ask('/nats', { running: false })).json()).toMatchObject({ nats: 'stopped' });
    expect(await (await ask('/nats', { running: true })).json()).toMatchObject({ nats: 'running' });
    expect(noted).toEqual(['stop', 'start']);
  });

  it('sets a fault of EC2, and takes it away', async () => {
    await ask('/faults/ec2-outage', { isOn: true });
    expect(await faultsOn()).toEqual(['ec2-outage']);
    await expect(simulation.shown()).rejects.toThrow();

    await ask('/faults/ec2-outage', { isOn: false });
    expect(await faultsOn()).toEqual([]);
    expect(await simulation.shown()).toEqual([]);
  });

  it('has happen to an instance what nobody asked EC2 for', async () => {
    const id = await simulation.launch();
    await simulation.reaches(id, 'running');

    expect((await ask(`/resources/vm/${id}/fail`, {})).status).toBe(200);
    await simulation.reaches(id, 'terminated');
  });

  it('answers what it does not have, and what is no request, with why', async () => {
    expect((await ask('/faults/ec2-fire', { isOn: true })).status).toBe(404);
    expect((await ask('/resources/vm/i-1/explode', {})).status).toBe(404);
    expect((await ask('/nats', { running: 'perhaps' })).status).toBe(400);
    expect((await ask('/resources/printer/p-1/fail', {})).status).toBe(400);
    const unknown = await ask('/resources/vm/i-0missing/fail', {});
    expect(unknown.status).toBe(400);
    expect(await unknown.text()).toContain('i-0missing');
  });
});
