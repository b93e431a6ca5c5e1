import { describe, expect, it } from 'vitest';
import { type Filtered, termsOf } from '../../../console/src/filter.ts';

const nowMs = Date.parse('2026-11-30T12:00:00Z');

const web: Filtered = {
  ...{ dcmId: 'web-1', serviceType: 'vm', resourceId: 'i-0abc', size: 't3.micro' },
  ...{ status: 'RUNNING', message: 'instance i-0abc is running: impaired', changedMs: nowMs - 60_000 },
  ...{ targetName: 'prod/eu-west-1', account: 'prod', region: 'eu-west-1' },
  labels: { team: 'payments', 'env.site': 'Zone A' },
};

const matches = (filter: string, one = web): boolean =>
  termsOf(filter).every((term) => term.matches(one, nowMs));
const errorsOf = (filter: string): string[] => termsOf(filter).flatMap(({ error }) => error ?? []);

describe('a filter', () => {
  it('is one chip a word', () => {
    expect(termsOf('  status:running   web ').map(({ text }) => text)).toEqual(['status:running', 'web']);
    expect(termsOf('')).toEqual([]);
  });

  it('matches where all its words match', () => {
    expect(matches('status:running type:vm web')).toBe(true);
    expect(matches('status:running type:cluster web')).toBe(false);
    expect(matches('status:stopped web')).toBe(false);
    expect(matches('')).toBe(true);
  });

  it.each(['WEB', 'i-0abc', 't3', 'impaired', 'prod/eu', 'running'])(
    'looks for the word %s in everything that a row shows',
    (word) => expect(matches(word)).toBe(true),
  );

  it.each([
    ['status:run', true],
    ['type:vm', true],
    ['target:prod/eu-west-1', true],
    ['account:prod', true],
    ['region:eu-west', true],
    ['id:web-1', true],
    ['id:i-0ABC', true],
    ['size:micro', true],
    ['region:prod', false],
    ['account:eu', false],
    ['id:running', false],
    ['size:vm', false],
  ])('looks for %s in its own field alone: %s', (filter, expected) => {
    expect(matches(filter)).toBe(expected);
    expect(errorsOf(filter)).toEqual([]);
  });

  it.each([
    ['label.team:payments', true],
    ['label.TEAM:payments', false],
    ['label.env.site:zone', true],
    ['label.team:other', false],
    ['label.owner:payments', false],
  ])('reads %s as a label by its exact key: %s', (filter, expected) => {
    expect(matches(filter)).toBe(expected);
    expect(errorsOf(filter)).toEqual([]);
  });

  it('has windows relative to now, not to when it was written', () => {
    const [term] = termsOf('changed:2m');

    expect(term?.matches(web, nowMs)).toBe(true);
    expect(term?.matches(web, nowMs + 60_000)).toBe(true);
    expect(term?.matches(web, nowMs + 61_000)).toBe(false);
    expect(matches('changed:59s')).toBe(false);
    expect(matches('changed:1h')).toBe(true);
    expect(matches('changed:1d')).toBe(true);
  });

  it('that does not exist is an error with its name, and matches nothing', () => {
    expect(errorsOf('colour:red')).toEqual([
      'there is no filter colour; there are status, type, target, account, region, id, size, changed, label.k',
    ]);
    expect(matches('colour:red')).toBe(false);
    expect(matches('constructor:x')).toBe(false);
    expect(errorsOf('constructor:x')[0]).toContain('there is no filter constructor');
  });

  it('without a value, or with one that is none, is an error too', () => {
    expect(errorsOf('status: web')).toEqual(['status: expected a value']);
    expect(errorsOf('changed:soon')).toEqual(['changed: expected 15m, 2h or 1d']);
    expect(errorsOf('label.:x')).toEqual(['label.: expected a key after the dot']);
    expect(matches('status: web')).toBe(false);
  });
});
