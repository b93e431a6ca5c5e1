import pTimeout from 'p-timeout';
import { UnavailableError } from '../../shared/core/errors.ts';

/** What `asked` answers, or an UnavailableError where that takes longer: `who` does not answer. */
export const within = <Answer>(ms: number, who: string, asked: Promise<Answer>): Promise<Answer> =>
  pTimeout(asked, {
    milliseconds: Math.max(1, ms), // a deadline may have passed already
    message: new UnavailableError(`${who} does not answer within ${ms} ms`),
  });
