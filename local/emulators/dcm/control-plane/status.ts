import * as z from 'zod';
import { reasonOf } from '../../../../shared/core/errors.ts';
import type { Applied } from '../older-control-plane/apply-status.ts';
import { readStatusEvent, type StatusEvent } from '../status-event.ts';
import type { Placement } from './placement.ts';
import type { Rows } from './rows.ts';

const OutputSpec = z.record(z.string(), z.unknown()).nullish();

type Parts = {
  readonly rows: Pick<Rows, 'report' | 'reportOrAdd'>;
  readonly placement: Pick<Placement, 'onRunning' | 'onDeleted' | 'onFailed'>;
  /** Events of unknown ids are skipped, as DCM does; otherwise they make the row. */
  readonly strict: boolean;
  readonly log: (line: string) => void;
};

/**
 * One message of `dcm-status` in, what became of it out. The status replaces the row's, whichever word it is; RUNNING, DELETED and FAILED
 * are then handed to placement, whose errors are only logged: the message is done, and a callback that failed comes again only when the
 * status does. An id without a row moves nothing.
 * @see https://github.com/dcm-project/control-plane (internal/sp/consumer/consumer.go)
 */
export const applyStatus =
  ({ rows, placement, strict, log }: Parts) =>
  async (message: Uint8Array): Promise<Applied> => {
    let event: StatusEvent;
    let outputSpec: z.infer<typeof OutputSpec>;
    try {
      event = readStatusEvent(message);
      outputSpec = OutputSpec.parse(event.outputSpec);
    } catch (error) {
      return { outcome: 'dropped', reason: reasonOf(error) };
    }
    const { id, status } = event;
    try {
      const report = { ...event, outputSpec: outputSpec ?? undefined };
      const outcome = await (strict || id.length > longestId
        ? reported(rows, report)
        : rows.reportOrAdd(report));
      if (outcome === 'unknown') return { ...event, outcome: 'skipped', reason: 'no instance found' };
      await callbacks(placement)
        [status]?.(id)
        .catch((error: unknown) => {
          log(`placement did not take ${status} of ${id}: ${reasonOf(error)}`);
        });
      return { ...event, outcome };
    } catch (error) {
      return { ...event, outcome: 'nak', reason: reasonOf(error) };
    }
  };

/** The column's width. */
const longestId = 63;

const reported = async (rows: Pick<Rows, 'report'>, report: Parameters<Rows['report']>[0]) =>
  (await rows.report(report)) ? 'applied' : 'unknown';

const callbacks = ({ onRunning, onDeleted, onFailed }: Parts['placement']) => {
  const all: Readonly<Record<string, (id: string) => Promise<void>>> = {
    running: onRunning,
    deleted: onDeleted,
    failed: onFailed,
  };
  return all;
};
