import type { Group } from './check.ts';
import { agentChecks } from './checks/agent.ts';
import { authenticationChecks } from './checks/authentication.ts';
import { createChecks } from './checks/create.ts';
import { deleteChecks } from './checks/delete.ts';
import { descriptionChecks } from './checks/description.ts';
import { eventChecks } from './checks/events.ts';
import { healthChecks } from './checks/health.ts';
import { idempotencyChecks } from './checks/idempotency.ts';
import { readChecks } from './checks/read.ts';
import { refusalChecks } from './checks/refusals.ts';
import { registrationChecks } from './checks/registration.ts';

/** All checks, in the order in which they are made: what all others rest on comes first. */
export const groups: readonly Group[] = [
  registrationChecks,
  healthChecks,
  createChecks,
  refusalChecks,
  readChecks,
  deleteChecks,
  idempotencyChecks,
  agentChecks,
  authenticationChecks,
  eventChecks,
  descriptionChecks,
];
