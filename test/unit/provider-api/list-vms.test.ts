import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../../shared/core/errors.ts';
import { unreadable } from '../../fakes/unreadable.ts';
import { asked, provider } from './provider.ts';

const region = 'us-east-1';
const firstInstance = 'i-00000000000000001';
const page = { target: { region }, maximumPageSize: 50, pageToken: undefined };

describe('listing VMs', () => {
  const withVms = async (ids: readonly string[], change?: Parameters<typeof provider>[0]) => {
    const world = provider(change);
    for (const id of ids) await world.create({ ...asked, dcmId: id });
    return world;
  };

  it('answers an empty list where there are none, and no token on the last page (C 28)', async () => {
    const { read } = provider();

    expect(await read.list(page)).toEqual({ results: [] });
  });

  it('answers page by page in the order of their ids, while VMs are created and deleted (C 26, C 27)', async () => {
    const { create, remove, read, happens } = await withVms(['d', 'b', 'e', 'c']);

    const first = await read.list({ ...page, maximumPageSize: 2 });
    await remove('b');
    await happens('terminated', { resourceId: 'i-00000000000000002' });
    await create({ ...asked, dcmId: 'a' });
    const second = await read.list({ ...page, maximumPageSize: 2, pageToken: first.next_page_token });

    expect([first, second].map(({ results }) => results.map(({ id }) => id))).toEqual([
      ['b', 'c'],
      ['d', 'e'],
    ]);
    expect(first.next_page_token).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(second).not.toHaveProperty('next_page_token');
  });

  it('answers each VM as GET does', async () => {
    const { read, happens } = await withVms(['a', 'b']);
    await happens('running');

    const { results } = await read.list(page);

    expect(results).toEqual([await read.get('a'), await read.get('b')]);
    expect(results.map(({ status }) => status)).toEqual(['PROVISIONING', 'RUNNING']);
  });

  it('answers only VMs of the region', async () => {
    const { read, parts } = await withVms(['a']);
    await parts.records.begin({ dcmId: 'b', region: 'eu-west-1', leaseMs: 11_000 });

    const { results } = await read.list({ ...page, target: { region: 'eu-west-1' } });

    expect(results.map(({ id }) => id)).toEqual(['b']);
  });

  it('can answer an empty page that has a next one', async () => {
    const { read, happens } = await withVms(['a', 'b']);
    await happens('terminated', { resourceId: firstInstance });

    const first = await read.list({ ...page, maximumPageSize: 1 });
    const second = await read.list({ ...page, maximumPageSize: 1, pageToken: first.next_page_token });

    expect(first).toEqual({ results: [], next_page_token: expect.any(String) });
    expect(second.results.map(({ id }) => id)).toEqual(['b']);
  });

  it('refuses a token with an id longer than any tag', async () => {
    const { read } = await withVms(['a']);
    const tokenOf = (id: string) => Buffer.from(`["${region}","${id}"]`).toString('base64url');

    for (const id of ['a\\ud83d', 'a'.repeat(257)])
      await expect(read.list({ ...page, pageToken: tokenOf(id) })).rejects.toThrow(InvalidArgumentError);
  });

  it('refuses a token of another region, or none at all (C 28)', async () => {
    const { read } = await withVms(['a', 'b']);
    const { next_page_token } = await read.list({ ...page, maximumPageSize: 1 });

    for (const [where, pageToken] of [
      ['eu-west-1', next_page_token],
      [region, 'nonsense'],
      [region, Buffer.from('["us-east-1",""]').toString('base64url')],
      [region, Buffer.from('{}').toString('base64url')],
    ] as const)
      await expect(read.list({ ...page, target: { region: where }, pageToken })).rejects.toThrow(
        InvalidArgumentError,
      );
  });

  it('reads the table twice and never asks EC2, however many VMs there are (C 64, C 67)', async () => {
    const calls: string[] = [];
    const { read, ec2 } = await withVms(['a', 'b', 'c', 'd'], (parts) => ({
      records: counting(parts.records, calls),
      resourceStore: counting(parts.resourceStore, calls),
    }));
    calls.length = 0;
    ec2.calls.length = 0;

    await read.list(page);

    expect(calls).toEqual(['list', 'read']);
    expect(ec2.calls).toEqual([]);
  });

  it('ends the records of VMs that have ended, so that later listings do not read them', async () => {
    const { read, happens, parts } = await withVms(['a', 'b']);
    await happens('terminated', { resourceId: firstInstance });
    const before = await parts.records.list({ region }, '', 50);

    const { results } = await read.list(page);

    const after = await parts.records.list({ region }, '', 50);
    expect(results.map(({ id }) => id)).toEqual(['b']);
    expect([before, after].map(({ records }) => records.length)).toEqual([2, 1]);
  });

  it('answers the other VMs where one cannot be read (C 33)', async () => {
    const { read, parts } = await withVms(['a', 'b']);
    parts.resourceStore.read = unreadable(firstInstance, parts.resourceStore);

    const { results } = await read.list(page);

    expect(results.map(({ id }) => id)).toEqual(['b']);
    expect(parts.log.lines).toEqual(['error: a VM is missing from a listing']);
  });
});

const counting = <Port extends object>(port: Port, calls: string[]): Port =>
  new Proxy(port, {
    get: (target, name) => {
      calls.push(String(name));
      return Reflect.get(target, name);
    },
  });
