import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { vmSpec } from '../../local/demo/catalog-item.ts';
import { ec2sp } from '../unit/cli/ec2sp/run.ts';
import { untilNextSecond } from './next-second.ts';
import { type TestStack, testStack } from './stack.ts';

const Cursor = z.object({ next: z.string() });
const StatusChange = z.object({ kind: z.literal('status'), dcmId: z.string(), status: z.string() });

let stack: TestStack;
const folder = mkdtempSync(join(tmpdir(), 'ec2sp-'));

/** `ec2sp` in a folder where the stack is that `npm start` would run. */
const run = (args: string, stdin = '') => ec2sp(args.split(' '), { folder, stdin });

beforeAll(async () => {
  stack = await testStack();
  mkdirSync(join(folder, '.local'));
  writeFileSync(join(folder, '.local/endpoints.json'), JSON.stringify(stack.endpoints));
});

afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
});

describe('ec2sp, against what npm start runs', () => {
  it('shows the registered provider and the agent', async () => {
    await expect
      .poll(async () => (await run('provider list')).stdout)
      .toMatch(/^ID +NAME +SERVICE TYPE +HEALTH +CREATED\n[\s\S]*ec2-sp +vm +Ready/);

    const { stdout } = await run('agent list');

    expect(stdout).toMatch(/^ID +NAME +ENVIRONMENT +HEALTH +CREATED\n[0-9a-f-]{36} /);
  });

  it('launches a VM, watches it, stops it and deletes it', async () => {
    const { inventoryUrl, inventoryToken } = stack.endpoints;
    const authorization = `Bearer ${inventoryToken}`;
    const now = await fetch(`${inventoryUrl}/api/v1alpha1/changes`, { headers: { authorization } });
    const { next } = Cursor.parse(await now.json());
    const runs = new AbortController();
    const watched = ec2sp(['watch', '--id', 'cli-1', '--after', next, '-o', 'json'], {
      ...{ folder, interrupted: runs.signal },
      onOutput: (text) => /"status":"RUNNING"/.test(text) && runs.abort(),
    });

    const created = await run('vm create -f - --id cli-1 --wait', JSON.stringify(vmSpec('cli-1')));
    expect(created.stderr).toContain('Created VM cli-1');
    expect(created.stdout).toMatch(/cli-1 +RUNNING +us-east-1 +i-/);

    const { stdout, exitCode } = await watched;
    const changes = z.array(StatusChange).parse(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    );
    const statuses = changes.map(({ status }) => status);
    expect(new Set(changes.map(({ dcmId }) => dcmId))).toEqual(new Set(['cli-1']));
    // PROVISIONING may come twice, with other details, or not at all: the VM may run before its owner is looked up.
    expect(statuses.slice(0, -1).filter((status) => status !== 'PROVISIONING')).toEqual([]);
    expect(statuses.at(-1)).toBe('RUNNING');
    expect(exitCode).toBe(130);

    await untilNextSecond(); // what ran for no whole second is no usage
    expect((await run('vm stop cli-1')).exitCode).toBe(0);
    await expect.poll(async () => (await run('vm get cli-1')).stdout).toContain('STOPPED');
    expect((await run('vm events cli-1')).stdout).toMatch(/STOPPED[\s\S]*RUNNING/);
    expect((await run('vm delete cli-1 --yes')).exitCode).toBe(0);
    await expect.poll(async () => (await run('vm get cli-1')).exitCode).toBe(4);
  });

  it('prints what that VM has used, as a table, JSON, CSV and FOCUS', async () => {
    await expect
      .poll(async () => (await run('usage --id cli-1 -o json')).stdout)
      .toMatch(/"ended": true[\s\S]*"used_seconds": \d/);

    const month = new Date().toISOString().slice(0, 'yyyy-mm'.length);
    expect((await run(`usage --month ${month} --id cli-1`)).stdout).toMatch(/\ncli-1 +vm +us-east-1 +i-/);
    const csv = (await run('usage --id cli-1 --format csv')).stdout.trim().split('\r\n');
    const focus = (await run('usage --id cli-1 --format focus')).stdout.trim().split('\r\n');
    expect([csv.length, focus.length]).toEqual([2, 2]);
    expect(focus[0]).toContain('BilledCost');
    expect((await run('usage --from 2026-01-01')).exitCode).toBe(1);
  });

  it('lists the inventory, and the targets', async () => {
    await expect
      .poll(async () => (await run('inventory list instances --target us-east-1')).stdout)
      .toMatch(/^NAME +DISPLAY NAME +STATE +MANAGED/);

    expect((await run('inventory targets')).stdout).toContain('us-east-1');
    expect((await run('targets')).stdout).toMatch(/^TARGET +LISTS +LAST LISTED[\s\S]*us-east-1 +vm/);
  });

  it('republishes a target, and has no breaker to release', async () => {
    const republished = await run('republish us-east-1');
    const released = await run('breaker release us-east-1');

    expect(republished.stderr).toContain('Requested: us-east-1, ');
    expect(released.stderr).toContain('No breaker of us-east-1 has tripped');
    expect(released.exitCode).toBe(1);
    expect((await run('republish eu-nowhere-1')).exitCode).toBe(4);
  });

  it('examines it', async () => {
    await expect.poll(async () => (await run('doctor')).exitCode, { timeout: 60_000 }).toBe(0);

    const target = await run('doctor --target us-east-1');
    expect(target.stdout).toMatch(/✓ us-east-1: EC2's dry run launches a VM of defaults, \S+ from ami-/);
    expect(target.stdout).toContain("✓ This machine's clock is that of the API.");
    expect(target.stdout).toContain('which this command line has too.');
    expect(target.exitCode).toBe(0);

    const unknown = await run('doctor --target us-west-9');
    expect(unknown.exitCode).toBe(1);
    expect(unknown.stderr).toContain('there is no target us-west-9');
  });
});
