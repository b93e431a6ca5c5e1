import pTimeout from 'p-timeout';
import { UnavailableError } from '../../shared/core/errors.ts';

/** The answer of `who`. @throws UnavailableError where it takes longer than `ms`; what `answer` rejects with. */
export const withTimeout = <Answer>(ms: number, who: string, answer: Promise<Answer>): Promise<Answer> =>
  pTimeout(answer, {
    milliseconds: Math.max(1, ms), // a deadline may have passed already
    message: new UnavailableError(`${who} does not answer within ${ms} ms`),
  });
