import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { bundleCli, cliFile } from '../../../../cli/bundle.ts';
import { commands } from '../../../../cli/ec2sp/commands.ts';
import { talkOf } from '../../../../cli/ec2sp/terminal.ts';
import { type Asked, ec2sp, emptyFolder, problem, server } from './run.ts';

/** A home folder with the user's configuration. */
const homeWith = (yaml: string): string => {
  const home = emptyFolder();
  mkdirSync(join(home, '.config/ec2sp'), { recursive: true });
  writeFileSync(join(home, '.config/ec2sp/config.yaml'), yaml);
  return home;
};

/** A working folder in which `npm start` runs. */
const folderWith = (endpoints: object): string => {
  const folder = emptyFolder();
  mkdirSync(join(folder, '.local'));
  writeFileSync(join(folder, '.local/endpoints.json'), JSON.stringify(endpoints));
  return folder;
};

const local = (url: string) => ({
  ...{ providerApiUrl: url, providerApiToken: 'local-token', lambdaUrl: url, controlPlaneUrl: url },
});

const vm = {
  ...{ id: 'web-1', path: 'vms/web-1', status: 'RUNNING', status_message: 'running', region: 'us-east-1' },
  ...{ instance_id: 'i-1', instance_type: 't3.micro', private_ip_address: '10.0.0.1', update_time: 'T' },
  create_time: '2026-11-30T08:00:00.000Z',
};

/** The provider's API with one VM. */
const provider = () =>
  server(({ method, path }: Asked) => {
    if (path === '/api/v1alpha1/vms:validate') return { body: { instance_type: 't3.micro' } };
    if (method === 'POST') return { status: 201, body: vm };
    if (method === 'DELETE') return { status: 204 };
    if (path === '/api/v1alpha1/vms') return { body: { results: [vm] } };
    if (/\/vms\/web-\d$/.test(path)) return { body: { ...vm, id: path.split('/').at(-1) } };
    return problem(404, 'there is no VM nope');
  });

const everyCommand = commands.flatMap((one) =>
  'load' in one ? [[one.name]] : one.commands.map(({ name }) => [one.name, name]),
);

const escapes = '\u001b[';

describe('ec2sp', () => {
  beforeAll(async () => {
    await bundleCli();
  });

  it('writes data on standard output and talk on standard error (L 1)', async () => {
    const api = await provider();

    const { stdout, stderr } = await ec2sp(['vm', 'stop', 'web-1', '-o', 'json', '--url', api.url]);

    expect(JSON.parse(stdout)).toEqual(vm);
    expect(stderr).toBe('EC2 accepted the stop of VM web-1. Follow it with: ec2sp watch --id web-1\n');
  });

  it.each(everyCommand)('has help with examples first: %s %s (L 2)', async (...path) => {
    const args = path.filter((word): word is string => typeof word === 'string' && word !== '');

    for (const flag of ['-h', '--help']) {
      const { exitCode, stdout } = await ec2sp([...args, flag]);

      expect(stdout).toMatch(/^Examples:\n {2}\$ ec2sp /);
      expect(stdout).toContain(`Usage: ec2sp ${args.join(' ')}`);
      expect(exitCode).toBe(0);
    }
  });

  it('shows a short help where arguments are missing (L 2)', async () => {
    const { exitCode, stdout, stderr } = await ec2sp(['vm', 'get']);

    expect(stderr).toBe(
      "error: missing required argument 'ID'\n\nExamples:\n  $ ec2sp vm get web-1 -o yaml\n\nSee ec2sp vm get --help.\n",
    );
    expect(stdout).toBe('');
    expect(exitCode).toBe(2);
  });

  it.each([
    ['off a terminal', {}, [], false],
    ['on a terminal', { typed: [] }, [], true],
    ['with NO_COLOR', { typed: [], env: { NO_COLOR: '1' } }, [], false],
    ['with TERM=dumb', { typed: [], env: { TERM: 'dumb' } }, [], false],
    ['with --no-color', { typed: [] }, ['--no-color'], false],
  ])('colours only where it may: %s (L 3)', async (_, options, flags, isColoured) => {
    const api = await provider();

    const { stdout, stderr } = await ec2sp(['vm', 'list', '--url', api.url, ...flags], options);

    expect(stdout.includes(escapes)).toBe(isColoured);
    if (!isColoured) expect(stderr).not.toContain(escapes);
  });

  it('shows on a terminal what it waits for, while it waits (L 4, L 5)', async () => {
    const api = await server(() => undefined);

    const { stderr } = await ec2sp(['vm', 'list', '--url', api.url, '--timeout', '1'], { typed: [] });

    expect(stderr).toContain(`Waiting for ${new URL(api.url).host}`);
  });

  it('shows it within 100 ms (L 4)', async () => {
    const folder = emptyFolder();
    const stderr = Object.assign(new PassThrough(), {
      ...{ isTTY: true, columns: 80, cursorTo: () => true, moveCursor: () => true, clearLine: () => true },
    });
    const talk = talkOf(
      {
        ...{ stdin: new PassThrough(), stdout: new PassThrough(), stderr, env: {}, folder, home: folder },
        ...{ programFolder: folder, interrupted: new AbortController().signal },
        cleanUpTakesLong: () => undefined,
      },
      { color: true, input: false },
    );
    await talk.during('What draws it is loaded', () => sleep(0));
    stderr.read();

    await talk.during('Waiting for a server', () => sleep(99));

    expect(String(stderr.read())).toContain('Waiting for a server');
  });

  it('shows each status on a terminal while it waits for a creation (L 5)', async () => {
    const statuses = ['PENDING', 'PROVISIONING', 'RUNNING'];
    const api = await server(({ method }) => ({
      status: method === 'POST' ? 201 : 200,
      body: { ...vm, status: statuses.shift(), status_message: 'as EC2 says' },
    }));
    const folder = emptyFolder();
    writeFileSync(join(folder, 'vm.yaml'), 'vcpu: { count: 2 }');

    const { exitCode, stdout, stderr } = await ec2sp(
      ['vm', 'create', '-f', 'vm.yaml', '--id', 'web-1', '--wait', '--url', api.url],
      { folder, typed: [] },
    );

    expect(exitCode, stderr).toBe(0);
    expect(stderr).toContain('web-1: PROVISIONING, as EC2 says');
    expect(stdout).toContain('RUNNING');
  });

  it('says what it changed, and suggests the next command (L 6)', async () => {
    const api = await provider();

    const { stderr } = await ec2sp(['vm', 'create', '-f', '-', '--id', 'web-1', '--url', api.url], {
      stdin: 'vcpu: { count: 2 }',
    });

    expect(stderr).toBe(
      'Created VM web-1 at 2026-11-30T08:00:00.000Z.\nFollow it with: ec2sp watch --id web-1\n',
    );
    expect(api.asked[0]).toMatchObject({ method: 'POST', body: { spec: { vcpu: { count: 2 } } } });
    expect(api.asked[0]?.query.get('id')).toBe('web-1');
  });

  it('creates nothing with --dry-run (L 7)', async () => {
    const api = await provider();

    const { stdout } = await ec2sp(['vm', 'create', '-f', '-', '--dry-run', '--url', api.url], {
      stdin: '{"spec":{"vcpu":{"count":2}}}',
    });

    expect(stdout).toBe('instance_type: t3.micro\n');
    expect(api.asked.map(({ path }) => path)).toEqual(['/api/v1alpha1/vms:validate']);
  });

  it.each([
    ['y, for one', ['web-1'], ['y'], 0],
    ['n, for one', ['web-1'], ['n'], 1],
    ['the id of the first, for several', ['web-1', 'web-2'], ['web-1'], 0],
    ['y, for several', ['web-1', 'web-2'], ['y'], 1],
  ])('asks before it deletes, on a terminal: %s (L 7)', async (_, ids, typed, expected) => {
    const api = await provider();

    const { exitCode } = await ec2sp(['vm', 'delete', ...ids, '--url', api.url], { typed });

    const deleted = api.asked.filter(({ method }) => method === 'DELETE').length;
    expect(deleted).toBe(expected === 0 ? ids.length : 0);
    expect(exitCode).toBe(expected);
  });

  it.each([
    ['is missing', 404, 'there is no VM web-2', 'Not deleted: web-1, web-2, web-3.', 0],
    ['is refused', 409, 'web-2 is adopted', 'Not deleted: web-2, web-3.', 1],
  ])('says of several what was not deleted because one %s', async (_, status, detail, untouched, deleted) => {
    const api = await server(({ method, path }) => {
      if (path.endsWith('/web-2') && (status === 404 || method === 'DELETE')) return problem(status, detail);
      return method === 'DELETE' ? { status: 204 } : { body: { ...vm, id: path.split('/').at(-1) } };
    });

    const { exitCode, stderr } = await ec2sp([
      ...['vm', 'delete', 'web-1', 'web-2', 'web-3', '--yes', '--url', api.url],
    ]);

    expect(stderr).toContain(untouched);
    expect(api.asked.filter(({ method }) => method === 'DELETE').length).toBe(
      deleted + (status === 409 ? 1 : 0),
    );
    expect(exitCode).toBe(status === 404 ? 4 : 1);
  });

  it.each([
    ['off a terminal', {}, []],
    ['with --no-input', { typed: ['y'] }, ['--no-input']],
  ])('never requires a prompt: %s (L 7)', async (_, options, flags) => {
    const api = await provider();

    const refused = await ec2sp(['vm', 'delete', 'web-1', '--url', api.url, ...flags], options);
    const done = await ec2sp(['vm', 'delete', 'web-1', '--yes', '--url', api.url, ...flags], options);

    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain('--yes');
    expect(done.exitCode).toBe(0);
    expect(api.asked.filter(({ method }) => method === 'DELETE')).toHaveLength(1);
  });

  it('has no flag and no variable for a secret itself (L 8)', () => {
    const text = readFileSync(cliFile.replace('dist/cli/ec2sp.mjs', 'docs/cli.md'), 'utf8');
    const flags = [...text.matchAll(/`(--[\w-]*(token|secret|password)[\w-]*)( <[^>]+>)?`/g)].map(
      ([, flag, , value]) => `${flag}${value ?? ''}`,
    );

    expect(new Set(flags.filter((flag) => flag.includes('<')))).toEqual(
      new Set([
        '--token-file <file>',
        '--token-secret <name>',
        '--inventory-token-file <file>',
        '--inventory-token-secret <name>',
        '--dcm-token-file <file>',
        '--page-token <token>', // of a page, no secret
      ]),
    );
  });

  it('sends a token only to the server beside whose URL it stands (L 8)', async () => {
    const api = await provider();
    const other = await provider();
    const folder = folderWith(local(api.url));
    writeFileSync(join(folder, 'token'), 'configured-token\n');
    const home = homeWith(`url: ${api.url}\ntoken-file: ${join(folder, 'token')}\n`);

    await ec2sp(['vm', 'list'], { folder });
    await ec2sp(['vm', 'list'], { home });
    await ec2sp(['vm', 'list', '--url', other.url], { folder, home });
    await ec2sp(['vm', 'list', '--url', other.url, '--token-file', '-'], { stdin: 'typed-token\n' });

    expect(api.asked.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer local-token',
      'Bearer configured-token',
    ]);
    expect(other.asked.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      'Bearer typed-token',
    ]);
  });

  it('reads a spec from standard input with - (L 9)', async () => {
    const api = await provider();

    await ec2sp(['vm', 'validate', '--file', '-', '--url', api.url], { stdin: 'memory:\n  size: 4GB\n' });

    expect(api.asked[0]?.body).toEqual({ spec: { memory: { size: '4GB' } } });
  });

  it('waits for a cluster until it is ACTIVE, also where an answer may pass', async () => {
    const cluster = { ...vm, id: 'kube-1', status: 'PROGRESSING' };
    const answers = [problem(503, 'EKS throttles', true), { body: cluster }];
    const api = await server(({ method }) =>
      method === 'POST'
        ? { status: 201, body: cluster }
        : (answers.shift() ?? { body: { ...cluster, status: 'ACTIVE' } }),
    );

    const { exitCode, stdout } = await ec2sp(
      ['cluster', 'create', '-f', '-', '--id', 'kube-1', '--wait', '--url', api.url],
      { stdin: 'version: "1.33"\n' },
    );

    expect(stdout).toMatch(/^kube-1 +ACTIVE /m);
    expect(exitCode).toBe(0);
  });

  it('says why what it waited for has failed', async () => {
    const failed = { ...vm, status: 'FAILED', status_message: 'the image cannot be pulled' };
    const api = await server(() => ({ status: 201, body: failed }));

    const { exitCode, stderr } = await ec2sp(
      ['container', 'create', '-f', '-', '--id', 'web-1', '--wait', '--url', api.url],
      { stdin: 'image:\n  reference: nginx\n' },
    );

    expect(stderr).toContain('The container web-1 is FAILED: the image cannot be pulled');
    expect(exitCode).toBe(1);
  });

  it.each([
    ['web is being deleted; this create is refused', 'web is being deleted; this create is refused.'],
    ['there is no VM web', 'There is no VM web.'],
  ])('writes an id as it is where an answer begins with it: %s', async (detail, expected) => {
    const api = await server(() => problem(409, detail));

    const { stderr } = await ec2sp(['vm', 'create', '-f', '-', '--id', 'web', '--url', api.url], {
      stdin: 'memory:\n  size: 4GB\n',
    });

    expect(stderr.trimEnd()).toBe(expected);
  });

  it.each(['', '.', '..'])('refuses the id "%s", which would be another path', async (id) => {
    const api = await provider();

    const { exitCode, stderr } = await ec2sp(['vm', 'delete', id, '--yes', '--url', api.url]);

    expect(stderr).toBe(`The id is "${id}": expected DCM's id\n`);
    expect(exitCode).toBe(2);
    expect(api.asked).toEqual([]);
  });

  it('deletes nothing where the input ends at the question', async () => {
    const api = await provider();

    const { exitCode, stderr } = await ec2sp(['vm', 'delete', 'web-1', '--url', api.url], { typed: [] });

    expect(stderr).toContain('The input ended without an answer.');
    expect(exitCode).toBe(1);
    expect(api.asked.map(({ method }) => method)).not.toContain('DELETE');
  });

  it('does not delete the stacks where nobody can be asked', async () => {
    const { exitCode, stderr } = await ec2sp(['destroy', '--no-input'], { typed: ['y'] });

    expect(stderr).toBe('The deletion of the stacks needs --yes where nobody can be asked.\n');
    expect(exitCode).toBe(2);
  });

  it('says what to do where its package was copied without what it needs', async () => {
    const programFolder = emptyFolder();
    for (const file of ['package.json', 'cdk.json', 'settings.json'])
      writeFileSync(join(programFolder, file), '{}');

    const { exitCode, stderr } = await ec2sp(['diff'], { folder: programFolder, programFolder });

    expect(stderr).toBe(`The CDK is not installed: run npm install in ${programFolder}.\n`);
    expect(exitCode).toBe(1);
  });

  it('waits for a function as long as --timeout says', async () => {
    const api = await server(() => undefined);

    const { exitCode, stderr } = await ec2sp(['targets', '--timeout', '1'], {
      folder: folderWith(local(api.url)),
    });

    expect(stderr).toContain('ec2-sp-poller gave no answer within 1 s; --timeout waits longer.');
    expect(exitCode).toBe(1);
  });

  it('finds the deployment by settings that leave the name of the provider to its default', async () => {
    const folder = emptyFolder();
    writeFileSync(join(folder, 'settings.json'), JSON.stringify({ homeRegion: 'eu-west-1', nats: {} }));
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:9');
    vi.stubEnv('AWS_MAX_ATTEMPTS', '1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    onTestFinished(() => void vi.unstubAllEnvs());

    const { exitCode, stderr } = await ec2sp(['targets'], { folder });

    expect(stderr).toMatch(/^ec2-sp-poller: connect ECONNREFUSED/);
    expect(exitCode).toBe(1);
  });

  it('says where no function can be reached that npm start may not run', async () => {
    const { exitCode, stderr } = await ec2sp(['targets'], {
      folder: folderWith(local('http://127.0.0.1:9')),
    });

    expect(stderr).toMatch(/ec2-sp-poller: connect ECONNREFUSED .*\. Check whether npm start runs\.\n$/);
    expect(exitCode).toBe(1);
  });

  it('names the target in the hint of the next page', async () => {
    const api = await server(() => ({ body: { results: [vm], next_page_token: 'page-2' } }));

    const { stderr } = await ec2sp([
      ...['vm', 'list', '--page-size', '1', '--target', 'prod/eu-west-1', '--url', api.url],
    ]);

    expect(stderr).toBe(
      '\nNext page: ec2sp vm list --target prod/eu-west-1 --page-size 1 --page-token page-2\n',
    );
  });

  it.runIf(process.platform === 'linux')('fails where its output cannot be written', async () => {
    const api = await provider();
    const command = `"${process.execPath}" "${cliFile}" vm list --url ${api.url} > /dev/full`;

    await expect(promisify(execFile)('sh', ['-c', command])).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('The output could not be written: ENOSPC'),
    });
  });

  it('shows the listings of one target with --target', async () => {
    const listing = { intervalSeconds: 60, instances: 0, republishWanted: false };
    const regions = ['us-east-1', 'container#us-east-1', 'prod/us-east-1'].map((region) => ({
      region,
      ...listing,
    }));
    const api = await server(() => ({ body: { regions } }));
    const folder = folderWith(local(api.url));

    const { stdout } = await ec2sp(['targets', '--target', 'us-east-1'], { folder });
    const unknown = await ec2sp(['targets', '--target', 'us-west-9'], { folder });

    expect(stdout.trimEnd().split('\n')).toHaveLength(3);
    expect(unknown.exitCode).toBe(4);
  });

  it('shows the breakers of one target with --target', async () => {
    const tripped = {
      intervalSeconds: 60,
      instances: 9,
      republishWanted: false,
      breakerSince: '2026-11-30T00:00:00Z',
    };
    const regions = ['us-east-1', 'prod/us-east-1'].map((region) => ({ region, ...tripped }));
    const api = await server(() => ({ body: { regions } }));

    const { stdout } = await ec2sp(['breaker', 'show', '--target', 'prod/us-east-1', '-o', 'json'], {
      folder: folderWith(local(api.url)),
    });

    expect(JSON.parse(stdout)).toMatchObject({ results: [{ region: 'prod/us-east-1' }] });
  });

  it.each([
    ['republish --all', 'republish has no --target: name the target as an argument.'],
    ['breaker release us-east-1', 'release has no --target: name the target as an argument.'],
    ['provider list', 'list has no --target.'],
    ['inventory targets', 'targets has no --target.'],
  ])('refuses --target where it would be ignored: %s', async (command, expected) => {
    const { exitCode, stderr } = await ec2sp([...command.split(' '), '--target', 'prod/eu-west-1']);

    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: `${expected}\n` });
  });

  it.each([
    [
      'no server',
      () => 'http://127.0.0.1:9',
      /^http:\/\/127\.0\.0\.1:9 cannot be reached: .*\. Check the URL/,
    ],
    ['no URL', () => undefined, /^There is no URL\. Give --url URL/],
  ])('says in one sentence what failed and what to do: %s (L 10)', async (_, url, expected) => {
    const address = url();
    const { stderr } = await ec2sp(['vm', 'list', ...(address === undefined ? [] : ['--url', address])]);

    expect(stderr).toMatch(expected);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('names the key of the configuration that does not exist', async () => {
    const { exitCode, stderr } = await ec2sp(['vm', 'list'], { home: homeWith('bogus: 1\n') });

    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/config\.yaml cannot be used: .*"bogus"/);
  });

  it('prints the cause of an error with --verbose only, and never a stack (L 10)', async () => {
    const args = ['vm', 'list', '--url', 'http://127.0.0.1:9'];

    const [quiet, verbose] = [await ec2sp(args), await ec2sp([...args, '--verbose'])];

    expect(quiet.stderr).not.toContain('caused by');
    expect(verbose.stderr).toContain('\n  caused by: connect ECONNREFUSED');
    expect(verbose.stderr).not.toMatch(/^\s+at /m);
  });

  it.each([
    ['token', 401, 'give a token', /Give the token by --token-file FILE/],
    ['scope', 403, 'not allowed', /The token does not permit this/],
    ['retry', 503, 'DynamoDB throttles', /can succeed when it is repeated/],
  ])('says what to do about an answer: %s (L 10)', async (_, status, detail, expected) => {
    const api = await server(() => problem(status, detail, status === 503));

    const { exitCode, stderr } = await ec2sp(['vm', 'list', '--url', api.url]);

    expect(stderr).toMatch(expected);
    expect(exitCode).toBe(1);
  });

  it.each([
    [['vmm'], '(Did you mean vm?)'],
    [['vm', 'lst'], '(Did you mean list?)'],
    [['vm', 'list', '--urll', 'x'], '(Did you mean --url?)'],
  ])('suggests what was meant: %s (L 11)', async (args, suggestion) => {
    const { exitCode, stderr } = await ec2sp(args);

    expect(stderr).toContain(suggestion);
    expect(exitCode).toBe(2);
  });

  it.each([[['v']], [['vm', 'li']], [['web-1']], [[]], [['vm']]])(
    'takes no abbreviation, and does nothing without a command: %s (L 12)',
    async (args) => {
      const { exitCode, stdout } = await ec2sp(args);

      expect(stdout).toBe('');
      expect(exitCode).toBe(2);
    },
  );

  it('ends at once with Ctrl-C, with 130 (L 13)', async () => {
    const api = await server(() => undefined);
    const child = spawn(process.execPath, [cliFile, 'vm', 'list', '--url', api.url]);
    await expect.poll(() => api.asked.length).toBe(1);

    child.kill('SIGINT');

    expect(await once(child, 'exit')).toEqual([130, null]);
  });

  it('cleans up after Ctrl-C, and the second Ctrl-C skips that, with 130 (L 13)', async () => {
    const folder = emptyFolder();
    const slow = '#!/bin/sh\ncase "$*" in *get-caller-identity*) echo 1;; *) exec sleep 3;; esac\n';
    writeFileSync(join(folder, 'aws'), slow, { mode: 0o755 });
    const args = ['verify-aws', '--yes', '--services', 'ec2', '--region', 'eu-west-1'];
    const child = spawn(process.execPath, [cliFile, ...args], {
      ...{ cwd: folder, env: { PATH: `${folder}:/usr/bin:/bin`, HOME: folder } },
    });
    const said = { text: '' };
    child.stderr.on('data', (chunk) => (said.text += chunk));
    const ended = once(child, 'exit');
    await expect.poll(() => said.text).toContain('The names of all that is made begin with');

    child.kill('SIGINT');
    await sleep(1_200); // longer than a command without a long clean-up may take
    expect(child.exitCode).toBeNull();
    child.kill('SIGINT');

    expect(await ended).toEqual([130, null]);
  });

  it('gives up after the timeout (L 14)', async () => {
    const api = await server(() => undefined);

    const { exitCode, stderr } = await ec2sp(['vm', 'list', '--url', api.url, '--timeout', '1']);

    expect(stderr).toContain('gave no answer within 1 s; --timeout waits longer.');
    expect(exitCode).toBe(1);
  });

  it('prefers flags to variables, these to .local/endpoints.json, and this to the user’s file (L 15)', async () => {
    const [flag, variable, endpoints, file] = [
      await provider(),
      await provider(),
      await provider(),
      await provider(),
    ];
    const options = {
      env: { EC2SP_URL: variable.url },
      folder: folderWith(local(endpoints.url)),
      home: homeWith(`url: ${file.url}\n`),
    };
    const counts = () => [flag, variable, endpoints, file].map(({ asked }) => asked.length);

    await ec2sp(['vm', 'list', '--url', flag.url], options);
    expect(counts()).toEqual([1, 0, 0, 0]);
    await ec2sp(['vm', 'list'], options);
    expect(counts()).toEqual([1, 1, 0, 0]);
    const said = await ec2sp(['vm', 'list'], { folder: options.folder, home: options.home });
    expect(counts()).toEqual([1, 1, 1, 0]);
    expect(said.stderr).toContain('Using .local/endpoints.json');
    await ec2sp(['vm', 'list'], { home: options.home });
    expect(counts()).toEqual([1, 1, 1, 1]);
  });

  it('has JSON that stays as it is (L 16)', async () => {
    const api = await provider();

    const { stdout } = await ec2sp(['vm', 'list', '-o', 'json', '--url', api.url]);

    expect(JSON.parse(stdout)).toEqual({ results: [vm] });
  });

  it('answers with its exit codes (L 17)', async () => {
    const api = await provider();
    const url = ['--url', api.url];

    expect((await ec2sp(['vm', 'get', 'web-1', ...url])).exitCode).toBe(0);
    expect((await ec2sp(['vm', 'list', '--url', 'http://127.0.0.1:9'])).exitCode).toBe(1);
    expect((await ec2sp(['vm', 'list', '-o', 'xml', ...url])).exitCode).toBe(2);
    expect((await ec2sp(['vm', 'get', 'nope', ...url])).exitCode).toBe(4);
    expect((await ec2sp(['vm', 'delete', 'nope', '--yes', ...url])).exitCode).toBe(4);
  });

  it('prints its version on one line (L 18)', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [cliFile, '--version']);

    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('calls nobody but the server that it is about (L 19)', async () => {
    const api = await provider();
    const hook = join(emptyFolder(), 'hook.cjs');
    writeFileSync(
      hook,
      "const net = require('node:net'); const connect = net.Socket.prototype.connect; net.Socket.prototype.connect = function (...args) { process.stderr.write('connects ' + JSON.stringify([args].flat(2)[0].port) + '\\n'); return connect.apply(this, args); };",
    );

    const { stderr } = await promisify(execFile)(process.execPath, [
      ...['--require', hook, cliFile, 'vm', 'list', '--url', api.url],
    ]);

    expect(stderr).toBe(`connects ${new URL(api.url).port}\n`);
  });

  it.each(['bash', 'zsh', 'fish', 'powershell'])('prints a completion for %s', async (shell) => {
    const { stdout } = await promisify(execFile)(process.execPath, [cliFile, 'completion', shell]);

    expect(stdout).toMatch(/ec2sp complete '?--/);
  });

  it('completes commands, choices and flags', async () => {
    const complete = async (...words: string[]) =>
      (await promisify(execFile)(process.execPath, [cliFile, 'complete', '--', ...words])).stdout;

    expect(await complete('vm', 'st')).toMatch(/^start\t.*\nstop\t/);
    expect(await complete('inventory', 'logs', 'c')).toContain('containers');
    expect(await complete('vm', 'create', '--dr')).toContain('--dry-run');
  });
});
