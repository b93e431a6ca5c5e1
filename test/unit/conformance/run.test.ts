import colours from 'picocolors';
import { describe, expect, it } from 'vitest';
import type { Check } from '../../../conformance/check.ts';
import { groupsFor } from '../../../conformance/groups.ts';
import { openSession } from '../../../conformance/open-session.ts';
import { NotConforming, Skipped } from '../../../conformance/outcome.ts';
import { summary, table } from '../../../conformance/report.ts';
import { runChecks } from '../../../conformance/run.ts';
import { fakeSession } from './fake-session.ts';

const check = (id: string, run: Check['run']): Check => ({ id, sentence: `does ${id}`, source: 'here', run });
const group = {
  title: 'Some',
  checks: [
    check('X1', async () => undefined),
    check('X2', () => Promise.reject(new NotConforming('it does not'))),
    check('X3', () => Promise.reject(new Skipped('needs --nats URL'))),
    check('X4', () => Promise.reject(new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') }))),
  ],
};

describe('a run', () => {
  it('makes the next check also after one that failed, was skipped, or could not be made', async () => {
    const results = await runChecks([group], fakeSession().session);

    expect(results).toMatchObject([
      { id: 'X1', verdict: 'pass', group: 'Some' },
      { id: 'X2', verdict: 'fail', reason: 'it does not' },
      { id: 'X3', verdict: 'skip', reason: 'needs --nats URL' },
      { id: 'X4', verdict: 'fail', reason: 'fetch failed: ECONNREFUSED' },
    ]);
  });

  it('tells of each result when it is there, and ends where it is cancelled', async () => {
    const seen: string[] = [];

    await runChecks([group], fakeSession().session, {
      onResult: ({ id }) => seen.push(id),
      isCancelled: () => seen.length === 2,
    });

    expect(seen).toEqual(['X1', 'X2']);
  });

  it('is told as a table and a sum', async () => {
    const results = await runChecks([group], fakeSession().session);

    const text = table(results, colours.createColors(false));

    expect(text).toMatch(/X2\s+│ fail\s+│ does X2\s+│ it does not/);
    expect(summary(results, 4)).toBe('1 passed, 2 failed, 1 skipped');
  });

  it('says how many checks were not made where it ended early', async () => {
    const [first, second] = await runChecks([group], fakeSession().session);

    expect(summary(first && second ? [first, second] : [], 4)).toBe(
      '1 passed, 1 failed, 0 skipped, 2 not made',
    );
    expect(summary([], 0)).toBe('0 passed, 0 failed, 0 skipped');
  });

  it('leaves out the check that an interruption has failed', async () => {
    let isCancelled = false;
    const interrupted = check('X5', async () => {
      isCancelled = true;
      throw new Error('The operation was aborted');
    });

    const results = await runChecks([{ ...group, checks: [interrupted] }], fakeSession().session, {
      isCancelled: () => isCancelled,
    });

    expect(results).toEqual([]);
  });

  it('marks what only the old control plane relies on', async () => {
    const old: Check = { ...check('X6', async () => undefined), caller: 'old control plane' };

    const results = await runChecks([{ ...group, checks: [old] }], fakeSession().session);

    expect(table(results, colours.createColors(false))).toContain('does X6 (old control plane)');
    expect(
      groupsFor('vm').flatMap(({ checks }) => checks.flatMap(({ id, caller }) => (caller ? [id] : []))),
    ).toEqual(['H2', 'C1', 'C3', 'I1', 'I2', 'I3']);
  });

  it('skips what it was not given the means for, and says which', async () => {
    const { session } = fakeSession();
    const bare = openSession({ ...session, feed: undefined, registry: undefined, agentRequests: undefined });

    const results = await runChecks(groupsFor('vm'), bare);

    const skipped = results.filter(({ verdict }) => verdict === 'skip');
    expect(new Set(skipped.map(({ id }) => id.charAt(0)))).toEqual(new Set(['R', 'B', 'E']));
    expect(results.filter(({ verdict }) => verdict === 'fail')).toEqual([]);
  });
});
