import { agentDefects } from './defects/agent.ts';
import { authenticationDefects } from './defects/authentication.ts';
import { clusterDefects } from './defects/clusters.ts';
import { containerDefects } from './defects/containers.ts';
import { createDefects } from './defects/create.ts';
import { deleteDefects } from './defects/delete.ts';
import { courseDefects } from './defects/event-course.ts';
import { formDefects } from './defects/event-form.ts';
import { healthDefects } from './defects/health.ts';
import { idempotencyDefects } from './defects/idempotency.ts';
import type { KnownDefects } from './defects/known-defect.ts';
import { readDefects } from './defects/read.ts';
import { refusalDefects } from './defects/refusals.ts';
import { registrationDefects } from './defects/registration.ts';

/** What providers do wrong, by the check that must find it. */
export const defects: KnownDefects = {
  ...agentDefects,
  ...authenticationDefects,
  ...clusterDefects,
  ...containerDefects,
  ...createDefects,
  ...deleteDefects,
  ...courseDefects,
  ...formDefects,
  ...healthDefects,
  ...idempotencyDefects,
  ...readDefects,
  ...refusalDefects,
  ...registrationDefects,
};
