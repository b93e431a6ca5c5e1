import * as z from 'zod';
import type { Answer } from './provider.ts';

type Verdict = 'healthy' | 'unhealthy' | 'failed';

const Health = z.object({ status: z.string() });

/** What the control plane's health monitor makes of an answer: any 2xx will do, the status must match letter by letter. */
export const controlPlaneFinds = ({ status, json }: Pick<Answer, 'status' | 'json'>): Verdict => {
  const word = Health.safeParse(json).data?.status;
  if (status < 200 || status > 299) return 'failed';
  return word === 'healthy' || word === 'unhealthy' ? word : 'failed';
};

/** What the environment agent's makes of it: exactly 200, in capital or small letters. */
export const agentFinds = ({ status, json }: Pick<Answer, 'status' | 'json'>): Verdict => {
  const word = Health.safeParse(json).data?.status.toLowerCase();
  if (status !== 200) return 'failed';
  return word === 'healthy' || word === 'unhealthy' ? word : 'failed';
};
