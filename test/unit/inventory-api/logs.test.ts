import { describe, expect, it } from 'vitest';
import { redacted } from '../../../functions/inventory-api/redact.ts';
import { PermissionDeniedError } from '../../../shared/core/errors.ts';
import type { LogRequest } from '../../../shared/ports/logs.ts';
import { entry, instance, listAll, seedBase, servedInventory } from './served-inventory.ts';

const text = ['one', 'two', 'three', 'four', 'five'].join('\r\n');

const served = async () => {
  const asked: LogRequest[] = [];
  const read = async (request: LogRequest) => {
    asked.push(request);
    return { text: `${text}\r\n`, updatedAt: new Date('2026-11-30T09:00:00Z') };
  };
  const api = servedInventory({ logs: { console: read, task: read } });
  await listAll(api);
  return { ...api, asked };
};
const path = '/targets/eu-west-1/instances/i-1/logs';

describe('the log of an instance', () => {
  it.each([
    ['', ['one', 'two', 'three', 'four', 'five']],
    ['?tail=false', ['one', 'two', 'three', 'four', 'five']],
    ['?limit=2', ['one', 'two']],
    ['?offset=3', ['four', 'five']],
    ['?offset=1&limit=2', ['two', 'three']],
    ['?offset=9', []],
    ['?limit=0', []],
    ['?tail=true', ['one', 'two', 'three', 'four', 'five']],
    ['?tail=true&limit=2', ['four', 'five']],
    ['?tail=true&limit=2&offset=1', ['three', 'four']],
    ['?tail=true&offset=4', ['one']],
    ['?tail=true&offset=9&limit=2', []],
    ['?tail=true&limit=99', ['one', 'two', 'three', 'four', 'five']],
  ])('is a list of lines, of which %s are these (B3 25, C2 24)', async (query, lines) => {
    const { get } = await served();

    expect(await get(`${path}${query}`)).toMatchObject({ status: 200, body: lines });
  });

  it.each(['tail=yes', 'tail=1', 'limit=x', 'offset=-1', 'container=main', 'container=/etc'])(
    'is refused with 400 for ?%s (B3 25)',
    async (query) => {
      const { get, asked } = await served();

      expect((await get(`${path}?${query}`)).status).toBe(400);
      expect(asked).toEqual([]);
    },
  );

  it.each([
    `${seedBase}/namespaces/vpc-1/pods/i-1/logs`,
    `${seedBase}/namespaces/vpc-1/pods/i-1/log`,
    '/targets/eu-west-1/instances/i-1/logs',
    '/targets/home/eu-west-1/instances/i-1/log',
  ])('is at %s, by one call of AWS (B3 34)', async (one) => {
    const { get, asked } = await served();
    const { headers } = await get(`${one}?container=console-latest`);

    expect(asked).toEqual([
      { target: { region: 'eu-west-1' }, id: 'i-1', stream: 'console-latest', newest: false },
    ]);
    expect(headers.get('last-modified')).toBe('Mon, 30 Nov 2026 09:00:00 GMT');
  });

  it.each(['i-9', 'i-3'])(
    'of an instance that the VPC does not have is 404, without a call: %s',
    async (id) => {
      const { get, asked } = await served();

      expect((await get(`${seedBase}/namespaces/vpc-1/pods/${id}/logs`)).status).toBe(404);
      expect(asked).toEqual([]);
    },
  );

  it('is 403 where the settings do not permit console output', async () => {
    const api = servedInventory({ logs: { console: undefined } });
    await listAll(api);

    expect(await api.get(path)).toMatchObject({
      status: 403,
      body: { detail: expect.stringMatching(/settings/) },
    });
  });

  it('is 503 where AWS refuses the provider itself', async () => {
    const refusal = new PermissionDeniedError('EC2 in us-east-1 does not permit this provider to read it');
    const api = servedInventory({ logs: { console: () => Promise.reject(refusal) } });
    await listAll(api);

    expect(await api.get(path)).toMatchObject({
      status: 503,
      body: { detail: refusal.message, retryable: true },
    });
  });

  it.each([path, `/targets/eu-west-1/containers/0123456789abcdef0123456789abcdef/logs`])(
    'has no secrets at %s',
    async (one) => {
      const read = async () => ({ text: 'booted\nDB_PASSWORD=hunter2\n', updatedAt: undefined });
      const api = servedInventory({ logs: { console: read, task: read } });
      await listAll(api);

      expect((await api.get(one)).body).toEqual(['booted', 'DB_PASSWORD= [redacted]']);
    },
  );

  it('is cut at what an answer has room for, at the far end', async () => {
    const lines = Array.from({ length: 60 }, (_, n) => `${n} ${'x '.repeat(50_000)}`);
    const read = async () => ({ text: lines.join('\n'), updatedAt: undefined });
    const api = servedInventory({ logs: { console: read } });
    await listAll(api);

    const first = (await api.get(path)).body;
    const last = (await api.get(`${path}?tail=true`)).body;
    expect([first.length, first[0]]).toEqual([44, lines[0]]);
    expect([last.length, last.at(-1)]).toEqual([44, lines.at(-1)]);
  });
});

describe('the log of a task', () => {
  const task = '0123456789abcdef0123456789abcdef';

  it.each([
    ['', 200, 'main'],
    ['?container=main&tail=true', 200, 'main'],
    ['?container=other', 400, undefined],
  ])('is that of a container: %s', async (query, status, stream) => {
    const { get, asked } = await served();
    const answer = await get(`/targets/eu-west-1/containers/${task}/logs${query}`);

    expect([answer.status, asked[0]?.stream]).toEqual([status, stream]);
    expect(asked[0]?.newest ?? query.includes('tail')).toBe(query.includes('tail'));
  });

  it('is 404 before the task has containers', async () => {
    const api = await served();
    await api.list('containers', [entry(task, { object: {} })]);
    await api.list('instances', [instance('i-1')]);

    const pending = servedInventory({ logs: { task: async () => ({ text, updatedAt: undefined }) } });
    await pending.list('containers', [entry(task, { object: {} })]);
    expect((await pending.get(`/targets/eu-west-1/containers/${task}/logs`)).status).toBe(404);
  });
});

const mark = '[redacted]';
// put together, so that no scanner takes them for real ones
const keyId = `AKIA${'ABCDEFGH23456789'}`;
const secretKey = `${'wJalrXUtnFEMI'}/K7MDENG/${'bPxRfiCYEXAMPLEKEY'}`;
const jwt = `eyJ${'hbGciOiJIUzI1NiJ9'}.eyJzdWIiOiIxIn0.c2lnbmF0dXJl`;

describe('lines of logs', () => {
  it.each([
    ['export DB_PASSWORD=hunter2', `export DB_PASSWORD= ${mark}`],
    ['  password: my secret phrase', `  password: ${mark}`],
    ['{"apiKey": "abc", "n": 1}', `{"apiKey": ${mark}`],
    ['MYSQL_PWD=x', `MYSQL_PWD= ${mark}`],
    ['db.pass = x', `db.pass = ${mark}`],
    ['Authorization: Bearer abcdefgh12345', `Authorization: ${mark}`],
    ['curl -H "Bearer abcdefgh12345"', `curl -H "Bearer ${mark}"`],
    [`got ${keyId} from the metadata`, `got ${mark} from the metadata`],
    [`key ${secretKey}`, `key ${mark}`],
    [`aws_secret_access_key = ${secretKey}`, `aws_secret_access_key = ${mark}`],
    [`login ${jwt} ok`, `login ${mark} ok`],
    ['mysql --password hunter2 -h db', `mysql --password ${mark} -h db`],
    ['clone https://me:hunter2@git.example/x', `clone https://${mark}@git.example/x`],
    ['root:$6$abcdefgh$0123456789abcdefABCDEF./:19000', `root:${mark}:19000`],
    [
      'kubeadm join 10.0.0.1:6443 --token abcdef.0123456789abcdef',
      `kubeadm join 10.0.0.1:6443 --token ${mark}`,
    ],
    ['join abcdef.0123456789abcdef', `join ${mark}`],
    [`pushed with ghp_${'a1B2'.repeat(9)}`, `pushed with ${mark}`],
    ['<Password>YmFzZTY0</Password>', `<Password>${mark}</Password>`],
  ])('have no secrets: %s', (line, expected) => {
    expect(redacted([line])).toEqual([expected]);
  });

  it.each([
    ['[    0.000000] Linux version 6.1.0 (gcc 12) #1 SMP'],
    [
      '[   12.3] cloud-init[801]: Cloud-init v. 24.1 finished at Mon. Datasource DataSourceEc2Local. Up 12.3 seconds',
    ],
    ['systemd[1]: Started Dispatch Password Requests to Console Directory Watch.'],
    ['256 SHA256:Zb2tq3M8b5JcW1m9h1w0m1n2o3p4q5r6s7t8u9v0w1x root@ip-10-0-0-1 (ED25519)'],
    ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDIhz2GK/XCUj4i6Q5yQJNL1MXMY0RxzPV2QrBqfHrDq root@host'],
    ['commit 0123456789abcdef0123456789abcdef01234567'],
    ['ip-10-0-0-1 login: '],
    ['Password: '],
    ['token expired, renewing'],
  ])('keep what is no secret: %s', (line) => {
    expect(redacted([line])).toEqual([line]);
  });

  it('have no private keys, also without their end', () => {
    const begin = `-----BEGIN ${'OPENSSH'} PRIVATE KEY-----`;
    const end = `-----END ${'OPENSSH'} PRIVATE KEY-----`;
    const prefix = '[   12.3] cloud-init[801]: ';

    expect(redacted(['a', begin, 'b3BlbnNzaC1rZXk=', end, 'done now'])).toEqual([
      'a',
      mark,
      mark,
      mark,
      'done now',
    ]);
    expect(redacted([`${prefix}${begin}`, `${prefix}b3BlbnNz`, 'systemd[1]: Started it.'])).toEqual([
      `${prefix}${mark}`,
      mark,
      'systemd[1]: Started it.',
    ]);
  });

  it('have no random passwords of cloud-init', () => {
    expect(
      redacted(["Set the following 'random' passwords", 'ubuntu:Xy12', 'admin:Zz9', 'Reached target: x']),
    ).toEqual([
      "Set the following 'random' passwords",
      `ubuntu:${mark}`,
      `admin:${mark}`,
      'Reached target: x',
    ]);
  });
});
