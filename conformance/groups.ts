import type { Group, Need } from './check.ts';
import { agentChecks } from './checks/agent.ts';
import { authenticationChecks } from './checks/authentication.ts';
import { clusterChecks } from './checks/clusters.ts';
import { containerChecks } from './checks/containers.ts';
import { createChecks } from './checks/create.ts';
import { deleteChecks } from './checks/delete.ts';
import { descriptionChecks } from './checks/description.ts';
import { eventChecks } from './checks/events.ts';
import { healthChecks } from './checks/health.ts';
import { idempotencyChecks } from './checks/idempotency.ts';
import { readChecks } from './checks/read.ts';
import { refusalChecks } from './checks/refusals.ts';
import { registrationChecks } from './checks/registration.ts';

/** All checks in their order: first those that environment agents, today's callers, rely on. */
export const groups: readonly Group[] = [
  registrationChecks,
  healthChecks,
  agentChecks,
  createChecks,
  refusalChecks,
  readChecks,
  deleteChecks,
  idempotencyChecks,
  authenticationChecks,
  eventChecks,
  containerChecks,
  clusterChecks,
  descriptionChecks,
];

/** The groups of checks that apply to providers of a service type. */
export const groupsFor = (serviceType: string): readonly Group[] =>
  groups.filter((group) => group.serviceType === undefined || group.serviceType === serviceType);

/**
 * The checks of a service type that `--only` names by id or by group letter; all of them without it. Each named check must exist, and its needs must be given,
 * because a run that silently leaves out a named check would look like a successful one.
 * @throws Error that names the word of `--only`.
 */
export const chosenGroups = (
  { only, serviceType }: { readonly only?: string | undefined; readonly serviceType: string },
  isGiven: (need: Need) => boolean,
): readonly Group[] => {
  const available = groupsFor(serviceType);
  if (only === undefined) return available;
  const words = only.split(',').map((word) => word.trim().toUpperCase());
  const isNamed = (id: string) => words.some((word) => word === id || word === id.charAt(0));
  const chosen = available.map((group) => ({
    ...group,
    checks: group.checks.filter(({ id }) => isNamed(id)),
  }));

  const all = available.flatMap(({ checks }) => checks.map(({ id }) => id));
  const unknown = words.find((word) => !all.some((id) => word === id || word === id.charAt(0)));
  if (unknown !== undefined)
    throw new Error(
      `--only: there is no check or group "${unknown}" of a ${serviceType}; groups are ${[...new Set(all.map((id) => id.charAt(0)))].join(', ')}, and docs/conformance.md lists the checks`,
    );
  for (const { needs, checks } of chosen) {
    for (const check of checks) {
      const isNamedAlone = words.includes(check.id);
      const missing = [needs, isNamedAlone ? check.needs : undefined].find((need) => need && !isGiven(need));
      if (missing) throw new Error(`--only: ${check.id} needs ${missing}, which is not given`);
    }
  }
  return chosen;
};
