import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../../local/emulators/dcm/database.ts';
import { type Rows, rowsIn, rowsSchema } from '../../../../local/emulators/dcm/older-control-plane/rows.ts';

describe('control plane, keeping rows', () => {
  let database: Awaited<ReturnType<typeof openDatabase>>;
  let rows: Rows;
  beforeAll(async () => {
    database = await openDatabase(rowsSchema);
    rows = rowsIn(database);
  });
  afterAll(() => database[Symbol.asyncDispose]());

  it('updates nothing where there is no row', async () => {
    const updated = await rows.update({ id: 'unknown', status: 'running', message: '' });

    expect(updated).toBe(false);
    expect(await rows.get('unknown')).toBeUndefined();
  });

  it('adds a row once and then updates it', async () => {
    const first = await rows.upsert({ id: 'upserted', status: 'provisioning', message: 'm1' });
    const second = await rows.upsert({ id: 'upserted', status: 'running', message: 'm2' });

    expect([first, second]).toEqual(['added', 'applied']);
    expect(await rows.get('upserted')).toMatchObject({
      status: 'running',
      message: 'm2',
      providerName: null,
    });
  });

  it('updates status, message and the time of the update, unconditionally', async () => {
    await rows.upsert({ id: 'updated', status: 'deleted', message: 'gone' });
    const before = await rows.get('updated');
    await delay(5);

    const updated = await rows.update({ id: 'updated', status: '', message: '' });

    const after = await rows.get('updated');
    expect(updated).toBe(true);
    expect(after).toMatchObject({ status: '', message: '', createdAt: before?.createdAt });
    expect(after?.updatedAt.getTime()).toBeGreaterThan(before?.updatedAt.getTime() ?? Number.NaN);
  });

  it('refuses a NUL, as Postgres does', async () => {
    await rows.upsert({ id: 'with-nul', status: 'running', message: '' });

    const updating = rows.update({ id: 'with-nul', status: 'running', message: 'a\0b' });

    await expect(updating).rejects.toThrow('invalid byte sequence for encoding "UTF8": 0x00');
  });

  it('refuses an id of more than 63 characters', async () => {
    const upserting = rows.upsert({ id: 'x'.repeat(64), status: 'running', message: '' });

    await expect(upserting).rejects.toThrow('too long');
  });

  describe('in a list', () => {
    const ids = async (page?: Parameters<Rows['list']>[0]) => (await rows.list(page)).map(({ id }) => id);
    let all: string[];
    beforeEach(async () => {
      for (const id of ['z', 'y', 'x']) {
        await rows.upsert({ id, status: 'running', message: '' });
        await delay(5);
      }
      all = await ids();
    });

    it('lists the oldest first', () => {
      expect(all.slice(-3)).toEqual(['z', 'y', 'x']);
    });

    it('lists one page', async () => {
      const page = await ids({ offset: 1, limit: 2 });

      expect(page).toEqual(all.slice(1, 3));
    });
  });
});
