import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Asked, ec2sp, server } from './run.ts';

/** What DCM's own command line printed, against a control plane with one provider: command, output and exit code. */
const captured = readFileSync(new URL('../../../fixtures/cli/dcm-sp-provider.txt', import.meta.url), 'utf8')
  .split(/^\$ /m)
  .slice(1)
  .map((block) => {
    const [, command = '', output = '', exitCode = ''] =
      /^(.*)\n([\s\S]*)\[exit (\d)\]\n?$/.exec(block) ?? [];
    return { command, output, exitCode: Number(exitCode) };
  });

const provider = {
  create_time: '2026-11-21T06:01:40.894881022Z',
  endpoint: 'http://127.0.0.1:9001/api/v1alpha1/vms',
  health_status: 'ready',
  id: 'ec2-sp-us-east-1-vm',
  name: 'ec2-sp-us-east-1',
  schema_version: 'v1alpha1',
  service_type: 'vm',
  update_time: '2026-11-21T06:01:44.930383094Z',
};

const notFound = (id: string) => ({
  status: 404,
  body: { type: 'not-found', title: 'Provider not found', status: 404, detail: `provider ${id} not found` },
});

/** DCM's control plane with the providers. */
const controlPlane = (providers: readonly object[]) =>
  server(({ path, query }: Asked) => {
    const id = /^\/api\/v1alpha1\/providers\/(.+)$/.exec(path)?.[1];
    if (id !== undefined) return id === provider.id ? { body: provider } : notFound(id);
    return { body: { providers: query.get('type') === 'none' ? [] : providers } };
  });

describe('ec2sp provider', () => {
  it('is compared with nine commands of dcm', () => {
    expect(captured).toHaveLength(9);
  });

  it.each(captured)(
    'prints byte for byte what dcm prints: $command',
    async ({ command, output, exitCode }) => {
      const isEmpty = command.endsWith(' (nothing there)');
      const dcm = await controlPlane(isEmpty ? [] : [provider]);
      const args = command.replace('dcm sp ', '').replace(' (nothing there)', '').split(' ');

      const ran = await ec2sp([...args, '--api-gateway-url', dcm.url]);

      expect(exitCode === 0 ? ran.stdout : ran.stderr).toBe(output);
      expect(exitCode === 0 ? ran.stderr : ran.stdout).toBe('');
      expect(ran.exitCode).toBe(exitCode);
    },
  );

  it('repeats every flag in the hint of the next page', async () => {
    const dcm = await server(() => ({ body: { providers: [provider], next_page_token: 'page-2' } }));

    const { stdout } = await ec2sp(['provider', 'list', '--type', 'vm', '--page-size', '1'], {
      env: { DCM_API_GATEWAY_URL: dcm.url },
    });

    expect(stdout).toContain(
      '\nNext page: ec2sp provider list --page-size 1 --type vm --page-token page-2\n',
    );
    expect(dcm.asked[0]?.query.toString()).toBe('max_page_size=1&type=vm');
  });

  it('asks for no page size that is not positive, as dcm does, and takes nothing but a number', async () => {
    const dcm = await server(() => ({ body: { providers: [provider], next_page_token: 'page-2' } }));
    const run = (size: string) =>
      ec2sp(['provider', 'list', `--page-size=${size}`, '--api-gateway-url', dcm.url]);

    expect((await run('0')).stdout).toContain('\nNext page: ec2sp provider list --page-token page-2\n');
    expect(dcm.asked.map(({ query }) => query.toString())).toEqual(['']);
    const { exitCode, stderr } = await run('many');
    expect([exitCode, stderr]).toEqual([2, '--page-size is many: expected a whole number\n']);
  });

  it('has the token of the next page after the results, as dcm has', async () => {
    const dcm = await server(() => ({ body: { providers: [{ id: 'a' }], next_page_token: 'b' } }));
    const env = { DCM_API_GATEWAY_URL: dcm.url };

    const json = await ec2sp(['provider', 'list', '-o', 'json'], { env });
    const yaml = await ec2sp(['provider', 'list', '-o', 'yaml'], { env });

    expect(json.stdout).toBe(
      '{\n  "results": [\n    {\n      "id": "a"\n    }\n  ],\n  "next_page_token": "b"\n}\n',
    );
    expect(yaml.stdout).toBe('results:\n    - id: a\nnext_page_token: b\n');
  });

  it("shows an environment agent's providers and their health", async () => {
    const agent = await server(() => ({
      body: { results: [{ id: '1', name: 'ec2-sp', service_type: 'vm', status: 'Ready', create_time: 'T' }] },
    }));

    const { stdout } = await ec2sp(['provider', 'list', '--api-gateway-url', agent.url]);

    expect(stdout).toBe('ID  NAME    SERVICE TYPE  HEALTH  CREATED\n1   ec2-sp  vm            Ready   T\n');
  });

  it('escapes what Go escapes, and sorts keys as Go does', async () => {
    const dcm = await server(() => ({ body: { b: '<&>', 9: 'x', 10: { z: [], y: {} } } }));

    const { stdout } = await ec2sp(['provider', 'get', 'a', '-o', 'json', '--api-gateway-url', dcm.url]);

    expect(stdout).toBe(
      '{\n  "10": {\n    "y": {},\n    "z": []\n  },\n  "9": "x",\n  "b": "\\u003c\\u0026\\u003e"\n}\n',
    );
  });

  it.each([
    [
      'a problem, with -o json',
      notFound('nope').body,
      404,
      /^\{\n {2}"type": "not-found",\n {2}"status": 404,/,
    ],
    ['another answer', 'no route', 404, /^HTTP 404: no route\n$/],
  ])('prints as dcm does %s', async (_, body, status, expected) => {
    const dcm = await server(() => ({ status, body }));

    const { exitCode, stderr } = await ec2sp(['provider', 'get', 'nope', '-o', 'json'], {
      env: { DCM_API_GATEWAY_URL: dcm.url },
    });

    expect(stderr).toMatch(expected);
    expect(exitCode).toBe(1);
  });

  it('says in the words of dcm that there is no connection, and that it took too long', async () => {
    const dcm = await server(() => undefined);

    const refused = await ec2sp(['provider', 'list', '--api-gateway-url', 'http://127.0.0.1:9']);
    const late = await ec2sp(['provider', 'list', '--timeout', '1', '--api-gateway-url', dcm.url]);

    expect(refused.stderr).toMatch(/^failed to connect to API Gateway at http:\/\/127\.0\.0\.1:9: /);
    expect(late.stderr).toBe('request timed out after 1 seconds\n');
    expect([refused.exitCode, late.exitCode]).toEqual([1, 1]);
  });

  it.each([
    [['provider', 'list', '-o', 'xml'], 'invalid output format "xml": must be one of table, json, yaml\n'],
    [
      ['provider', 'list', '--api-gateway-url', 'https://x', '--tls-client-cert', 'a'],
      '--tls-client-cert and --tls-client-key must be used together\n',
    ],
  ])('refuses wrong usage with 2, as dcm does: %s', async (args, message) => {
    const { exitCode, stderr } = await ec2sp(args);

    expect(stderr).toBe(message);
    expect(exitCode).toBe(2);
  });
});

describe('ec2sp agent', () => {
  const agent = {
    ...{ agent_id: '5f0c', name: 'aws', environment: 'aws', health_status: 'ready', create_time: 'T' },
    ...{ service_types: ['vm'], cost: 'medium', topic_name: 'dcm.agent.aws', last_heartbeat: 'U' },
  };

  it('lists agents as dcm agent list does', async () => {
    const dcm = await server(() => ({ body: { agents: [agent], next_page_token: 'page-2' } }));

    const { stdout } = await ec2sp(['agent', 'list', '--health-status', 'ready'], {
      env: { DCM_API_GATEWAY_URL: dcm.url },
    });

    expect(stdout).toBe(
      'ID    NAME  ENVIRONMENT  HEALTH  CREATED\n5f0c  aws   aws          ready   T\n\nNext page: ec2sp agent list --health-status ready --page-token page-2\n',
    );
    expect(dcm.asked[0]?.path).toBe('/api/v1alpha1/agents');
    expect(dcm.asked[0]?.query.get('health_status')).toBe('ready');
  });

  it('gets an agent with all its fields', async () => {
    const dcm = await server(() => ({ body: agent }));

    const { stdout } = await ec2sp(['agent', 'get', '5f0c', '-o', 'json', '--api-gateway-url', dcm.url]);

    expect(JSON.parse(stdout)).toEqual(agent);
    expect(dcm.asked[0]?.path).toBe('/api/v1alpha1/agents/5f0c');
  });
});
