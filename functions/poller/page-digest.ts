import { createHash } from 'node:crypto';
import { isStuck } from '../../shared/domain/stuck-launch.ts';
import type { Instance } from '../../shared/ports/instances.ts';

/** 96 bits tell a page from every other that a region will ever show. */
const digest = (lines: readonly string[]): string =>
  createHash('sha256').update(lines.toSorted().join('\n')).digest('base64url').slice(0, 16);

/**
 * What a page looks like: equal digests mean that nothing has changed on it, nor got stuck. In any order, for EC2 promises none.
 */
export const pageDigest = (instances: readonly Instance[], nowMs: number) => ({
  states: digest(
    instances.map((instance) => {
      const { instanceId, state, publicAddress = '', tags } = instance;
      const shown = isStuck(instance, nowMs) ? 'stuck' : state;
      return `${instanceId} ${shown} ${publicAddress} ${JSON.stringify(tags)}`;
    }),
  ),
  members: digest(instances.map(({ instanceId }) => instanceId)),
});
