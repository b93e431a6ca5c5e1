import { reasonOf } from '../../../../shared/core/errors.ts';
import type { Agents } from './agents.ts';
import type { Placement } from './placement.ts';
import type { Requests } from './requests.ts';
import type { Row, Rows } from './rows.ts';

/** How long DCM waits, in milliseconds. @see https://github.com/dcm-project/control-plane (internal/app/config.go) */
export type Times = {
  /** A create that no agent has acknowledged for so long is given to another agent. */
  readonly pendingMs: number;
  /** One that waits at its agent for so long is cancelled there, and given to another. */
  readonly queuedMs: number;
  /** From one sweep to the next. */
  readonly sweepMs: number;
  /** From one publication of an unacknowledged delete to the next. */
  readonly cleanupMs: number;
  /** An agent without a heartbeat for so long is unavailable. */
  readonly heartbeatMs: number;
};
export const defaultTimes: Times = {
  pendingMs: 120_000,
  queuedMs: 300_000,
  sweepMs: 10_000,
  cleanupMs: 60_000,
  heartbeatMs: 60_000,
};

const longestSweeps = 3;
const longestDeletions = 10;

type Parts = {
  readonly rows: Rows;
  readonly agents: Pick<Agents, 'byName' | 'expire'>;
  readonly requests: Pick<Requests, 'delete' | 'cancel'>;
  readonly placement: Pick<Placement, 'moveAway'>;
  readonly times: Times;
  readonly log: (line: string) => void;
};

/**
 * One round of DCM's sweep. A pending create goes to another agent without any cancel at the first, which may still act on it; a queued one
 * is cancelled first. After three attempts without another agent the row fails.
 * @see https://github.com/dcm-project/control-plane (internal/sp/pending/sweep.go)
 */
export const sweep = async (parts: Parts): Promise<void> => {
  await parts.agents.expire(parts.times.heartbeatMs);
  await sweepPending(parts);
  await sweepQueued(parts);
};

const sweepPending = async (parts: Parts): Promise<void> => {
  const { rows, times } = parts;
  for (const row of await rows.overdue('pending', times.pendingMs)) {
    if (!(await rows.claim(row.id, 'pending', 'pending')) || (await movesAway(parts, row))) continue;
    if (row.retryCount >= longestSweeps) await rows.settle(row.id, 'pending', 'failed');
  }
};

const sweepQueued = async (parts: Parts): Promise<void> => {
  const { rows, times } = parts;
  for (const row of await rows.overdue('queued', times.queuedMs)) {
    if (!(await rows.claim(row.id, 'queued', 'cancelled'))) continue;
    await cancelAtAgent(parts, row);
    if (await movesAway(parts, row)) continue;
    await rows.settle(row.id, 'cancelled', row.retryCount + 1 >= longestSweeps ? 'failed' : 'pending');
  }
};

const movesAway = async ({ placement, log }: Parts, { id }: Row): Promise<boolean> => {
  try {
    await placement.moveAway(id);
    return true;
  } catch (error) {
    log(`${id} finds no other agent: ${reasonOf(error)}`);
    return false;
  }
};

/** A courtesy: the create goes to another agent whether this one hears of it or not. */
const cancelAtAgent = async ({ agents, requests, log }: Parts, { id, agentName, serviceType }: Row) => {
  const agent = await agents.byName(agentName ?? '');
  if (agent?.healthStatus !== 'ready') return;
  await requests
    .cancel(agent.topicName, { resourceId: id, serviceType: serviceType ?? '' })
    .catch((error) => log(`the cancellation of ${id} was not published: ${reasonOf(error)}`));
};

/**
 * One round of DCM's cleanup: publishes each delete again that no agent has acknowledged, ten times.
 * @see https://github.com/dcm-project/control-plane (internal/sp/cleanup/scheduler.go)
 */
export const cleanUp = async ({ rows, agents, requests, log }: Parts): Promise<void> => {
  for (const { id, agentName, serviceType, retryCount } of await rows.scheduled()) {
    const agent = await agents.byName(agentName ?? '');
    if (agent === undefined) await rows.endDeletion(id, 'DELETED');
    else if (retryCount >= longestDeletions) await rows.endDeletion(id, 'FAILED');
    else {
      const about = { resourceId: id, serviceType: serviceType ?? '' };
      await requests
        .delete(agent.topicName, about)
        .catch((error) => log(`the delete of ${id} was not published: ${reasonOf(error)}`));
      await rows.countDeletion(id);
    }
  }
};
