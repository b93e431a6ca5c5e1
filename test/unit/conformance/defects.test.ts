import { describe, expect, it } from 'vitest';
import { groups } from '../../../conformance/groups.ts';
import { runChecks } from '../../../conformance/run.ts';
import { defects } from './defects.ts';
import type { FakeServiceType } from './fake-kinds.ts';
import { fakeSession } from './fake-session.ts';

const only = (id: string) =>
  groups.map((group) => ({ ...group, checks: group.checks.filter((check) => check.id === id) }));

/** The service type of the fake provider in which a check of this group looks for defects. */
const serviceTypes: Readonly<Record<string, FakeServiceType>> = { U: 'container', K: 'cluster' };

describe.each(Object.entries(defects))('check %s', (id, known) => {
  it.each(known)('fails a provider that $what, and says so', async ({ defect, because }) => {
    const results = await runChecks(only(id), fakeSession(defect, serviceTypes[id.charAt(0)]).session);

    expect(results).toMatchObject([{ id, verdict: 'fail', reason: expect.stringMatching(because) }]);
  });
});

describe('the checks', () => {
  const ids = groups.flatMap(({ checks }) => checks.map(({ id }) => id));

  it('have an id each', () => {
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('have each been seen to fail, but for the one that only informs', () => {
    expect(ids.filter((id) => defects[id] === undefined)).toEqual(['O1']);
  });
});
