import type { Check, Group } from './check.ts';
import { Deviation, type Outcome, reasonOf, Skipped } from './outcome.ts';
import type { Session } from './session.ts';

export type Result = Pick<Check, 'id' | 'sentence' | 'source' | 'caller'> & {
  readonly group: string;
} & Outcome;

type Watch = { readonly onResult?: (result: Result) => void; readonly isCancelled?: () => boolean };

/** Runs the checks one after the other until the run is cancelled. @returns a result for each check that was not interrupted */
export const runChecks = async (
  groups: readonly Group[],
  session: Session,
  { onResult = () => undefined, isCancelled = () => false }: Watch = {},
): Promise<Result[]> => {
  const results: Result[] = [];
  const all = groups.flatMap(({ title, checks }) => checks.map((check) => ({ group: title, check })));
  for (const { group, check } of all) {
    if (isCancelled()) break;
    const { id, sentence, source, caller } = check;
    const outcome = await outcomeOf(check.run(session));
    if (isCancelled() && outcome.verdict === 'fail') break; // the check may have failed only because of the interruption
    const result = { id, sentence, source, ...(caller && { caller }), group, ...outcome };
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
    return { verdict: verdictOf(error), reason: reasonOf(error) };
  }
};

const verdictOf = (error: unknown): Exclude<Outcome['verdict'], 'pass'> => {
  if (error instanceof Skipped) return 'skip';
  return error instanceof Deviation ? 'deviation' : 'fail';
};
