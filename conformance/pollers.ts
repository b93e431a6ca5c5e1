import * as z from 'zod';
import type { Answer } from './provider.ts';

type Verdict = 'healthy' | 'unhealthy' | 'failed';

const Health = z.object({ status: z.string() });

/** How the older control plane's health monitor reads an answer: any 2xx is accepted, and the status is case-sensitive. */
export const controlPlaneFinds = ({ status, json }: Pick<Answer, 'status' | 'json'>): Verdict => {
  const word = Health.safeParse(json).data?.status;
  if (status < 200 || status > 299) return 'failed';
  return word === 'healthy' || word === 'unhealthy' ? word : 'failed';
};

/** How the environment agent's health monitor reads an answer: only 200 is accepted, and the status is not case-sensitive. */
export const agentFinds = ({ status, json }: Pick<Answer, 'status' | 'json'>): Verdict => {
  const word = Health.safeParse(json).data?.status.toLowerCase();
  if (status !== 200) return 'failed';
  return word === 'healthy' || word === 'unhealthy' ? word : 'failed';
};
