import * as z from 'zod';
import { must } from '../outcome.ts';
import type { Answer } from '../provider.ts';

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
