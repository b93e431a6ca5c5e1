import { UnavailableError } from '../core/errors.ts';
import { type Target, targetKey } from '../core/target.ts';
import type { Clock } from '../ports/clock.ts';
import type { DescribedResource, DescribedResources } from '../ports/described-resources.ts';
import type { ServedType } from '../ports/served-type.ts';

/** One failure may be chance. */
const failuresUntilSkipped = 2;
const shortestSkipMs = 2_000;
const longestSkipMs = 60_000;

type Trouble = { readonly failures: number; readonly untilMs: number };

/**
 * Asks a service, but not in a target for a while after it has failed there twice in a row: 2 s, doubled with each further failure, at most
 * a minute. Then one question shows whether it answers again. So a target that is down, throttled or whose role was revoked costs the others
 * no waiting. What needs its answer fails at once, and is retried. For each worker.
 */
export const unlessFailing = (service: string, now: Clock) => {
  const troubles = new Map<string, Trouble>();

  return async <Answer>(target: Target, ask: () => Promise<Answer>): Promise<Answer> => {
    const key = targetKey(target);
    const trouble = troubles.get(key);
    if (trouble && now() < trouble.untilMs)
      throw new UnavailableError(`${service} is not asked where it has just failed; retried later`);
    if (trouble && trouble.failures >= failuresUntilSkipped)
      troubles.set(key, { ...trouble, untilMs: now() + shortestSkipMs }); // the others wait for this answer
    try {
      const answer = await ask();
      troubles.delete(key);
      return answer;
    } catch (error) {
      const failures = (trouble?.failures ?? 0) + 1;
      const skipMs = Math.min(shortestSkipMs * 2 ** (failures - failuresUntilSkipped), longestSkipMs);
      troubles.set(key, { failures, untilMs: failures < failuresUntilSkipped ? 0 : now() + skipMs });
      throw error;
    }
  };
};

/** A service type whose service is asked so. */
export const skippingFailedTargets = <Type extends ServedType>(type: Type, now: Clock): Type => {
  const guarded = unlessFailing(type.service, now);
  const { describe, list } = type.resources;
  const resources: DescribedResources<DescribedResource> = {
    describe: (target, ...asked) => guarded(target, () => describe(target, ...asked)),
    list: (query) => guarded(query.target, () => list(query)),
  };
  const { changes } = type;
  return {
    ...type,
    resources,
    ...(changes && {
      changes: {
        ...changes,
        failure: (target: Target, ...asked: [string, number]) =>
          guarded(target, () => changes.failure(target, ...asked)),
      },
    }),
  };
};
