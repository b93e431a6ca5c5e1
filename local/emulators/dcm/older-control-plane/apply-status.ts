import { reasonOf } from '../../../../shared/core/errors.ts';
import { readStatusEvent, type StatusEvent } from '../status-event.ts';
import type { Consumed } from '../status-history.ts';
import type { Rows } from './rows.ts';

export type Applied = Partial<StatusEvent> & Pick<Consumed, 'outcome' | 'reason'>;

/**
 * One message of the stream in, what became of it out. Nothing is compared: the last event delivered wins.
 * An id without a row gets one, as DCM's proposal draws it ("UPSERT"), or with `strict` is skipped, as DCM's code does.
 */
export const applyStatus =
  (rows: Pick<Rows, 'update' | 'upsert'>, { strict }: { readonly strict: boolean }) =>
  async (message: Uint8Array): Promise<Applied> => {
    let event: StatusEvent;
    try {
      event = readStatusEvent(message);
    } catch (error) {
      return { outcome: 'dropped', reason: reasonOf(error) };
    }
    try {
      const told = !strict && canBeRow(event) ? await rows.upsert(event) : await updated(rows, event);
      if (told === 'unknown') return { ...event, outcome: 'skipped', reason: 'no instance found' };
      return { ...event, outcome: told };
    } catch (error) {
      return { ...event, outcome: 'nak', reason: reasonOf(error) };
    }
  };

const updated = async (rows: Pick<Rows, 'update'>, event: StatusEvent) =>
  (await rows.update(event)) ? 'applied' : 'unknown';

/** The column's width: a longer id is an unknown one, and not Postgres's refusal for ever. */
const canBeRow = ({ id }: StatusEvent) => id.length <= 63;
