import type { InstanceState } from './instance.ts';

/** What can only come after a state by the next change; two and more steps ahead look the same as a read that is old. */
const next: Record<InstanceState, readonly InstanceState[]> = {
  pending: ['running', 'shutting-down', 'terminated'],
  running: ['stopping', 'shutting-down', 'terminated'],
  stopping: ['stopped', 'shutting-down', 'terminated'],
  stopped: ['pending', 'shutting-down', 'terminated'],
  'shutting-down': ['terminated'],
  terminated: [],
};

const staleReadSeconds = 60;

/**
 * Could a listing that contradicts what is held be older than that? DescribeInstances may show the state before the last change for
 * some seconds. What follows the held state cannot be old; anything else is not believed until the held state is a minute old.
 */
export const couldBeStale = (
  held: { readonly state: InstanceState; readonly at: number },
  listed: InstanceState,
  nowSeconds: number,
): boolean => !next[held.state].includes(listed) && nowSeconds - held.at < staleReadSeconds;

/** EC2 has something under way with it, so that its state will soon be another. */
export const isTransitional = (state: InstanceState): boolean =>
  state === 'pending' || state === 'stopping' || state === 'shutting-down';
