import { reasonOf } from '../../../shared/core/errors.ts';
import { longestId } from './api-conventions.ts';
import { readStatusEvent, type StatusEvent } from './status-event.ts';
import type { Consumed } from './status-history.ts';

/** What was read of a status event, and the outcome. */
export type Applied = Partial<StatusEvent> & Pick<Consumed, 'outcome' | 'reason'>;

type Options<Event extends StatusEvent> = {
  readonly rows: {
    /** Unconditional: the last event delivered wins. False where there is no such row. */
    update(event: Event): Promise<boolean>;
    /** The same, but adds a missing row, unless a row with this id was deleted: then `unknown`. */
    upsert(event: Event): Promise<'added' | 'applied' | 'unknown'>;
  };
  /** Skips events whose id has no row, as DCM's code does. Otherwise they add the row, as DCM's proposal draws it ("UPSERT"). */
  readonly strict: boolean;
  /** @throws where DCM's consumer drops the message. */
  readonly read: (message: Uint8Array) => Event;
  /** Called after a row was changed. Must not throw. */
  readonly onApplied?: (event: Event) => Promise<void>;
};

/** Applies one message of the status stream to the rows. Events are not compared: the last one delivered wins. */
export const statusApplier =
  <Event extends StatusEvent>({ rows, strict, read, onApplied }: Options<Event>) =>
  async (message: Uint8Array): Promise<Applied> => {
    let event: Event;
    try {
      event = read(message);
    } catch (error) {
      return { outcome: 'dropped', reason: reasonOf(error) };
    }
    try {
      const isUpdate = strict || event.id.length > longestId; // Postgres would refuse to add a longer id, without end
      const outcome = isUpdate ? await updated(rows, event) : await rows.upsert(event);
      if (outcome === 'unknown') return { ...event, outcome: 'skipped', reason: 'no instance found' };
      await onApplied?.(event);
      return { ...event, outcome };
    } catch (error) {
      return { ...event, outcome: 'nak', reason: reasonOf(error) };
    }
  };

const updated = async <Event extends StatusEvent>(
  rows: Pick<Options<Event>['rows'], 'update'>,
  event: Event,
) => ((await rows.update(event)) ? ('applied' as const) : ('unknown' as const));

/** Applies status events to the rows of the older control plane, which does not read outputs. */
export const applyStatus = (
  rows: Options<StatusEvent>['rows'],
  { strict }: { readonly strict: boolean },
): ((message: Uint8Array) => Promise<Applied>) => statusApplier({ rows, strict, read: readStatusEvent });
