import * as z from 'zod';
import { Deviation, must } from '../outcome.ts';
import type { Answer } from '../provider.ts';
import type { Session } from '../session.ts';

/** @see https://www.rfc-editor.org/rfc/rfc9457#section-3.1 */
const Problem = z.object({ type: z.string().min(1), title: z.string().min(1), status: z.int().optional() });

/** @throws NotConforming where an answer is not a problem with this status. */
export const mustBeProblem = (answer: Answer, status: number, to: string): void => {
  must(answer.status === status, `${to} was answered ${answer.status}, not ${status}`);
  must(
    answer.contentType.startsWith('application/problem+json'),
    `${to} was answered as ${answer.contentType || 'nothing'}, not application/problem+json`,
  );
  const problem = Problem.safeParse(answer.json);
  must(problem.success, `${to} was answered by a problem without type and title`);
  must((problem.data.status ?? status) === status, `${to}: the problem says ${problem.data.status}`);
};

/**
 * Reads and deletes a resource that does not exist: DCM's suites expect 404 of both.
 * @throws Deviation where the deletion succeeds; NotConforming where either is answered otherwise.
 */
export const mustNotFindUnknown = async (session: Session): Promise<void> => {
  const { provider } = session;
  const path = `/${session.newId()}`;
  const found = await provider.call('GET', { path });
  must(found.status === 404, `GET was answered ${found.status}`);
  const { status } = await provider.call('DELETE', { path });
  if (status >= 200 && status < 300)
    throw new Deviation(
      `it answers DELETE with ${status}: for an environment agent 404 is a failure, and DCM’s resource stays (D3, B6)`,
    );
  must(status === 404, `DELETE was answered ${status}`);
};
