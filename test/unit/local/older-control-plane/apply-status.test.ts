import { describe, expect, it } from 'vitest';
import { applyStatus } from '../../../../local/emulators/dcm/apply-status.ts';
import type { Rows } from '../../../../local/emulators/dcm/older-control-plane/rows.ts';

const message = (data: object) =>
  new TextEncoder().encode(JSON.stringify({ specversion: '1.0', id: 'e-1', data }));
const running = message({ id: 'vm-1', status: 'RUNNING', message: 'm' });

/** A table of ids; a message of "refuse" is refused. */
const table = (...known: string[]): Pick<Rows, 'update' | 'upsert'> => {
  const refuse = (text: string) => {
    if (text === 'refuse') throw new Error('invalid byte sequence');
  };
  return {
    update: async ({ id, message: text }) => {
      refuse(text);
      return known.includes(id);
    },
    upsert: async ({ id, message: text }) => {
      refuse(text);
      return known.includes(id) ? 'applied' : 'added';
    },
  };
};

describe.each([{ strict: false }, { strict: true }])('control plane, strict: $strict', ({ strict }) => {
  it('applies an event of a row that it has', async () => {
    const applied = await applyStatus(table('vm-1'), { strict })(running);

    expect(applied).toEqual({
      outcome: 'applied',
      id: 'vm-1',
      status: 'running',
      message: 'm',
      eventId: 'e-1',
    });
  });

  it('drops what it cannot read, with the reason', async () => {
    const applied = await applyStatus(table(), { strict })(message({ status: 'RUNNING' }));

    expect(applied).toMatchObject({ outcome: 'dropped', reason: expect.stringContaining('id: ') });
  });

  it('does not acknowledge what the database refuses', async () => {
    const refused = message({ id: 'vm-1', status: 'RUNNING', message: 'refuse' });

    const applied = await applyStatus(table('vm-1'), { strict })(refused);

    expect(applied).toMatchObject({ outcome: 'nak', id: 'vm-1', reason: 'invalid byte sequence' });
  });

  it('skips an id that no row can have', async () => {
    const applied = await applyStatus(table(), { strict })(message({ id: 'x'.repeat(64) }));

    expect(applied).toMatchObject({ outcome: 'skipped', reason: 'no instance found' });
  });
});

describe('control plane, with an event of an unknown id', () => {
  it('adds the row', async () => {
    const applied = await applyStatus(table(), { strict: false })(running);

    expect(applied).toMatchObject({ outcome: 'added', id: 'vm-1' });
  });

  it('skips it when strict', async () => {
    const applied = await applyStatus(table(), { strict: true })(running);

    expect(applied).toMatchObject({ outcome: 'skipped', id: 'vm-1', reason: 'no instance found' });
  });
});
