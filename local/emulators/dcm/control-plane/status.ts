import * as z from 'zod';
import { reasonOf } from '../../../../shared/core/errors.ts';
import { statusApplier } from '../apply-status.ts';
import { readStatusEvent } from '../status-event.ts';
import type { Placement } from './placement.ts';
import type { Rows } from './rows.ts';

const OutputSpec = z.record(z.string(), z.unknown()).nullish();

type Parts = {
  readonly rows: Pick<Rows, 'update' | 'upsert'>;
  readonly placement: Pick<Placement, 'onRunning' | 'onDeleted' | 'onFailed'>;
  /** Skips events whose id has no row, as DCM does; otherwise they add the row. */
  readonly strict: boolean;
  readonly log: (line: string) => void;
};

/**
 * Applies one message of `dcm-status`: stores the status, whatever word it is, and calls placement for RUNNING, DELETED and FAILED.
 * Placement's errors are only logged, because DCM acknowledges the message anyway: a failed callback runs again only when the status is
 * published again. An event whose id had no row calls placement too, which does not know the id.
 * @see https://github.com/dcm-project/control-plane (internal/sp/consumer/consumer.go)
 */
export const applyStatus = ({ rows, placement, strict, log }: Parts) => {
  const callbacks: Readonly<Record<string, (id: string) => Promise<void>>> = {
    running: placement.onRunning,
    deleted: placement.onDeleted,
    failed: placement.onFailed,
  };
  return statusApplier<ReturnType<typeof readWithOutputs>>({
    rows,
    strict,
    read: readWithOutputs,
    onApplied: async ({ id, status }) =>
      callbacks[status]?.(id).catch((error: unknown) =>
        log(`placement failed on ${status} of ${id}: ${reasonOf(error)}`),
      ),
  });
};

const readWithOutputs = (message: Uint8Array) => {
  const event = readStatusEvent(message);
  return { ...event, outputSpec: OutputSpec.parse(event.outputSpec) ?? undefined };
};
