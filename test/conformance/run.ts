import type { Check, Group } from './check.ts';
import { type Outcome, Skipped } from './outcome.ts';
import type { Session } from './session.ts';

export type Result = Pick<Check, 'id' | 'sentence' | 'source'> & { readonly group: string } & Outcome;

type Watch = { readonly onResult?: (result: Result) => void; readonly isCancelled?: () => boolean };

/** Makes the checks one after the other, in their order, until cancelled. Answers one result each. */
export const runChecks = async (
  groups: readonly Group[],
  session: Session,
  { onResult = () => undefined, isCancelled = () => false }: Watch = {},
): Promise<Result[]> => {
  const results: Result[] = [];
  const all = groups.flatMap(({ title, checks }) => checks.map((check) => ({ group: title, check })));
  for (const { group, check } of all) {
    if (isCancelled()) break;
    const { id, sentence, source } = check;
    const result = { id, sentence, source, group, ...(await outcomeOf(check.run(session))) };
    results.push(result);
    onResult(result);
  }
  return results;
};

const outcomeOf = async (made: Promise<void>): Promise<Outcome> => {
  try {
    await made;
    return { verdict: 'pass' };
  } catch (error) {
    const reason = error instanceof Error ? sentenceOf(error) : String(error);
    return { verdict: error instanceof Skipped ? 'skip' : 'fail', reason };
  }
};

/** `fetch` hides what went wrong in the cause. */
const sentenceOf = ({ message, cause }: Error): string =>
  cause instanceof Error ? `${message}: ${cause.message}` : message;
