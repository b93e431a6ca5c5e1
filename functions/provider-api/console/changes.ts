import { type NamedTarget, targetOfKey } from '../../../shared/core/target.ts';
import type { Call } from '../../../shared/http/operation.ts';
import type { ChangeFeed } from '../../../shared/ports/change-feed.ts';

/** The changes of the targets that the credentials permit. Those of a target that is no longer configured belong to nobody. */
export const permittedChanges = (
  feed: Pick<ChangeFeed, 'read'>,
  targets: readonly NamedTarget[],
  permits: Call<unknown>['permits'],
): Pick<ChangeFeed, 'read'> => ({
  async read(after, limit) {
    const page = await feed.read(after, limit);
    const isVisible = (key: string): boolean => {
      const { region, account } = targetOfKey(key);
      const target = targets.find((one) => one.region === region && one.account === account);
      return target !== undefined && permits({ target });
    };
    return { ...page, changes: page.changes.filter(({ change }) => isVisible(change.target)) };
  },
});
