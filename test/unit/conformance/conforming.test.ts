import { describe, expect, it } from 'vitest';
import { groups } from '../../conformance/groups.ts';
import { runChecks } from '../../conformance/run.ts';
import { fakeSession } from './fake-session.ts';

describe('the conformance suite', () => {
  it('finds nothing wrong with a provider that does everything right', async () => {
    const { session } = fakeSession();

    const results = await runChecks(groups, session);

    expect(results.filter(({ verdict }) => verdict !== 'pass')).toEqual([]);
    expect(results.length).toBeGreaterThan(50);
  });
});
