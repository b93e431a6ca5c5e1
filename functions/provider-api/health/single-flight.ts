import type { Clock } from '../../../shared/ports/clock.ts';

type Parts<Answer> = {
  readonly ask: (about: string) => Promise<Answer>;
  /** What need not be asked again so soon. */
  readonly isKept: (answer: Answer) => boolean;
  readonly keepMs: number;
  readonly now: Clock;
};

/**
 * Asks about each thing once at a time: whoever asks meanwhile gets the same answer, and so does who asks within `keepMs` of one that is
 * kept. Remembers one answer a thing, so there must be few of them.
 */
export const singleFlight = <Answer>({ ask, isKept, keepMs, now }: Parts<Answer>) => {
  const underWay = new Map<string, Promise<Answer>>();
  const kept = new Map<string, { readonly answer: Answer; readonly atMs: number }>();

  const fly = async (about: string): Promise<Answer> => {
    try {
      const answer = await ask(about);
      if (isKept(answer)) kept.set(about, { answer, atMs: now() });
      else kept.delete(about);
      return answer;
    } finally {
      underWay.delete(about);
    }
  };

  return (about: string): Promise<Answer> => {
    const held = kept.get(about);
    if (held !== undefined && now() - held.atMs < keepMs) return Promise.resolve(held.answer);
    const flight = underWay.get(about) ?? fly(about);
    underWay.set(about, flight);
    return flight;
  };
};
