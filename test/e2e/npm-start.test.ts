import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { whyNoDcm } from '../../local/emulators/dcm/service-provider-manager/start.ts';
import { whyNoAgent } from '../contract/dcm/environment-agents.ts';
import { scriptRunBy } from '../doc-blocks.ts';
import { skippedBecause } from '../retried-and-skipped.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** `npm start` as a person runs it, without npm's own process in between. */
const start = (...flags: string[]) => {
  const child = spawn(process.execPath, ['local/start.mjs', ...flags], { cwd: root });
  let output = '';
  const use = (chunk: Buffer) => {
    output += chunk;
  };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', use);
  const says = (text: string) => expect.poll(() => output, { timeout: 120_000 }).toContain(text);
  return { child, says, ended: once(child, 'exit'), output: () => output };
};

/** What the README does with a running `npm start`. A request that is refused ends it, and nobody presses Ctrl-C. */
const ordersOfReadme = `set -euo pipefail
  curl() { command curl --fail-with-body "$@"; }
  ${scriptRunBy('test/e2e/npm-start.test.ts', 'README.md').replace(/ # until Ctrl-C$/m, ' --max-time 2 || test $? = 28')}`;
const missing = ['bash', 'curl', 'jq'].filter((command) => spawnSync(command, ['--version']).error);

describe('npm start', async () => {
  it('--demo runs its scenarios, finds no error and exits with 0', async () => {
    const { ended, output } = start('--demo');

    expect((await ended)[0], output()).toBe(0);

    expect(output()).toContain("transitions of 7 VMs reached DCM's rows, each once and in order");
    expect(output()).toContain(
      "the statuses of 3 containers and 1 cluster reached DCM's rows, each once and in order",
    );
    expect(output()).toContain('2 instances that are not ours were not reported');
  });

  it('--demo --generation old runs them with the control plane that calls providers itself', async () => {
    const { ended, output } = start('--demo', '--generation', 'old');

    expect((await ended)[0], output()).toBe(0);

    expect(output()).toContain("transitions of 7 VMs reached DCM's rows, each once and in order");
  });

  it(
    "--demo --agent-bin runs them with DCM's own environment agent",
    skippedBecause(whyNoAgent, { alsoInCi: true }),
    async () => {
      const { ended, output } = start('--demo', '--agent-bin', process.env.DCM_AGENT_BIN ?? '');

      expect((await ended)[0], output()).toBe(0);

      expect(output()).toContain("transitions of 7 VMs reached DCM's rows, each once and in order");
    },
  );

  it(
    "--demo --control-plane dcm runs the lives of a VM, containers and a cluster in DCM's own service provider manager and exits with 0",
    skippedBecause(await whyNoDcm()),
    async () => {
      const { ended, output } = start('--demo', '--control-plane', 'dcm');

      expect((await ended)[0], output()).toBe(0);

      expect(output()).toContain(
        "DCM's own rows followed the VMs, the containers and the cluster from their creation to their end",
      );
    },
  );

  it('prints all addresses, takes the orders of the README, refuses a second start in the folder, and leaves nothing behind when it is interrupted', async () => {
    const { child, says, ended } = start();
    await says('ready');
    const endpoints: Record<string, string> = JSON.parse(
      await readFile(`${root}.local/endpoints.json`, 'utf8'),
    );
    expect(Object.keys(endpoints)).toEqual(
      expect.arrayContaining([
        'natsUrl',
        'ec2Url',
        'dynamodbUrl',
        'sqsUrl',
        'eventsUrl',
        'lambdaUrl',
        'controlPlaneUrl',
        'providerApiUrl',
        'providerApiToken',
        'agentUrl',
        'catalogItemId',
      ]),
    );

    expect((await stat(`${root}.local/endpoints.json`)).mode & 0o077).toBe(0);

    const second = start();
    expect((await second.ended)[0]).toBe(1);
    expect(second.output()).toContain(`another npm start (process ${child.pid}) runs in this folder`);
    expect(existsSync(`${root}.local/endpoints.json`)).toBe(true);

    if (missing.length === 0) {
      const { stdout } = await promisify(execFile)('bash', ['-c', ordersOfReadme], { cwd: root });
      expect(stdout).toContain('shop-1'); // read through DCM
      expect(stdout).toMatch(/^data: .*"kind":"status"/m);
    }

    child.kill('SIGINT');
    const [code] = await ended;

    expect(code).toBe(0);
    expect(existsSync(`${root}.local/endpoints.json`)).toBe(false);
    for (const url of Object.values(endpoints).filter((one) => one.startsWith('http'))) {
      await expect(fetch(url), url).rejects.toThrow();
    }
  });

  it.each([
    { flags: ['--ec2-endpoint'], says: "option '--ec2-endpoint <url>' argument missing" },
    {
      flags: ['--control-plane-url', 'localhost:8080'],
      says: '--control-plane-url is localhost:8080, which is not an http or https URL',
    },
    {
      flags: ['--generation', 'old', '--agent-bin', '/no/such/agent'],
      says: '--generation old has no environment agent: leave --agent-bin out',
    },
    {
      flags: ['--generation', 'old', '--agent-url', 'http://127.0.0.1:9'],
      says: '--generation old has no environment agent: leave --agent-url out',
    },
    { flags: ['--agent-topic', 'laptop'], says: '--agent-topic needs --agent-url' },
  ])('says in one sentence what is wrong with $flags', async ({ flags, says }) => {
    const { ended, output } = start(...flags);

    expect((await ended)[0]).toBe(1);

    expect(output()).toContain(says);
  });
});
