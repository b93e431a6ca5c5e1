import { targetName } from '../../shared/core/target.ts';
import type { Asked } from '../../shared/http/operation.ts';

/** Reading the inventory; reading logs; reading the change feed, which is about all targets. */
export const scopes = {
  read: 'inventory:read',
  logs: 'inventory:logs',
  changes: 'changes:read',
} as const;

/**
 * Whether scopes permit what is asked for: a scope alone, in all targets; with a target, in that one (`inventory:read:eu-west-1` of the home
 * account, `inventory:read:prod/eu-west-1`), or with `/*` in all of an account. What is asked for of no single target, such as the list of
 * targets, is permitted with any target, and the answer has only what is permitted; the change feed only by its scope alone, because it is
 * not limited to what is permitted.
 */
export const permits = (granted: readonly string[], homeAlias: string) => {
  return ({ target, scope = '' }: Asked): boolean =>
    granted.some((one) => {
      if (one === scope) return true;
      if (scope === scopes.changes || !one.startsWith(`${scope}:`)) return false;
      if (target === undefined) return true;
      const alias = target.alias ?? homeAlias;
      const names = [targetName(target), `${alias}/${target.region}`, `${alias}/*`];
      return names.includes(one.slice(scope.length + 1));
    });
};
