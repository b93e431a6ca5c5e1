import { createHash } from 'node:crypto';
import { isStuck } from '../../shared/domain/stuck-launch.ts';
import type { Instance } from '../../shared/ports/instances.ts';

/** 96 bits tell a page from every other that a region will ever show. */
const digest = (lines: readonly string[]): string =>
  createHash('sha256').update(lines.toSorted().join('\n')).digest('base64url').slice(0, 16);

/**
 * What a page looks like: equal digests mean that nothing has changed on it since, that no instance was stopped and started again, and that
 * none got stuck. The order of instances and of tags does not matter, for EC2 promises none.
 */
export const pageDigest = (instances: readonly Instance[], nowMs: number) => ({
  states: digest(
    instances.map((instance) => {
      const { instanceId, state, launchedAtMs, publicAddress = '', tags } = instance;
      const shown = isStuck(instance, nowMs) ? 'stuck' : state;
      const sortedTags = Object.entries(tags).sort(([one], [other]) => (one < other ? -1 : 1));
      return `${instanceId} ${shown} ${launchedAtMs} ${publicAddress} ${JSON.stringify(sortedTags)}`;
    }),
  ),
  members: digest(instances.map(({ instanceId }) => instanceId)),
});
