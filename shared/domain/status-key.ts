import { partsOf, type Sequence } from './gate.ts';
import { type InstanceState, InstanceState as States } from './instance.ts';

/**
 * Keys order the statuses of one VM, as strings: a state's is its sequence, and what is told beside the states (a notice, a repeat) is
 * placed behind the state that holds, by second: `<sequence>-<second>-<word>`.
 */
export const keyBeside = (sequence: Sequence, second: number, word: string): string =>
  `${sequence}-${second}-${word}`;

/** The second by which a status is placed. */
export const secondOfKey = (key: string): number => {
  const [sequence, second] = key.split('-').map(Number);
  return second ?? partsOf(sequence ?? 0).at;
};

/** What was placed beside the states: a kind of notice, or a repeat. Undefined for a state's key. */
export const wordOfKey = (key: string): string | undefined => /^\d+-\d+-(.+)$/.exec(key)?.[1];

/** Is it a state's, not that of a notice or a repeat? */
export const isStateKey = (key: string): boolean => !key.includes('-');

/** The state that is held where this key is the newest. */
export const stateOfKey = (key: string): InstanceState =>
  States.options[Number.parseInt(key, 10) % 10] ?? 'running';
