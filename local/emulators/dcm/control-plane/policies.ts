import * as z from 'zod';
import { PermissionDeniedError, UpstreamError } from '../../../../shared/core/errors.ts';
import type { Spec } from '../api-conventions.ts';
import type { Agent, Agents } from './agents.ts';
import type { Documents } from './documents.ts';

/** A policy as users post it. @see https://github.com/dcm-project/control-plane (api/policy/v1alpha1/openapi.yaml) */
export const Policy = z.object({
  display_name: z.string().min(1).max(255),
  description: z.string().max(2048).optional(),
  policy_type: z.enum(['GLOBAL', 'USER']),
  label_selector: z.record(z.string(), z.string()).optional(),
  priority: z.int().min(1).max(1000).default(500),
  rego_code: z.string().min(1).max(65_536),
  enabled: z.boolean().default(true),
});
export type Policy = z.infer<typeof Policy>;

type Selection = { readonly spec: Spec; readonly exclude?: readonly string[] };

/** Chooses the agent of a resource. */
export type Policies = {
  /**
   * @throws PermissionDeniedError where a policy rejects, UpstreamError where no agent that serves the type is left, or a policy selects
   * one that is not available.
   */
  choose(selection: Selection): Promise<string>;
};

/**
 * An emulator of DCM's policy engine that does not evaluate Rego. From the text of each enabled policy whose labels are the spec's, by priority, it reads a constant
 * `selected_agent`, and `"rejected": true` where the text has no other decision. For policies with rules, and without any policy, it chooses
 * the first ready agent that serves the type; DCM refuses requests without a policy.
 * @see https://github.com/dcm-project/control-plane (internal/policy/service/evaluation.go)
 */
export const policyEmulator = (policies: Documents<Policy>, agents: Pick<Agents, 'list'>): Policies => ({
  choose: async ({ spec, exclude = [] }) => {
    const available = capableAgents(await agents.list('ready'), spec, exclude);
    const labels = labelsOf(spec);
    const enabled = (await policies.list())
      .map(({ document }) => document)
      .filter(
        ({ enabled, label_selector: selector = {} }) =>
          enabled && Object.entries(selector).every(([name, value]) => labels[name] === value),
      )
      .sort((one, other) => one.priority - other.priority);
    for (const { rego_code: rego, display_name: name } of enabled)
      if (rejects(rego)) throw new PermissionDeniedError(`policy '${name}' rejected the request`);
    const chosen = enabled
      .map(({ rego_code: rego }) => agentNamedIn(rego))
      .findLast((name) => name !== undefined);
    const agent = chosen ?? available[0]?.name;
    if (agent === undefined)
      throw new UpstreamError(`no available agent supports service type '${String(spec.service_type)}'`);
    if (!available.some(({ name }) => name === agent))
      throw new UpstreamError(`a policy selected agent '${agent}', which is not available`);
    return agent;
  },
});

const Labels = z.record(z.string(), z.unknown());

/** What label selectors are compared with. @see https://github.com/dcm-project/control-plane (internal/policy/handlers/engine/converters.go) */
const labelsOf = ({ service_type: serviceType, metadata }: Spec): Readonly<Record<string, unknown>> => ({
  service_type: serviceType,
  ...z.object({ labels: Labels }).safeParse(metadata).data?.labels,
});

const capableAgents = (agents: readonly Agent[], { service_type: type }: Spec, exclude: readonly string[]) =>
  agents.filter(
    ({ name, serviceTypes }) =>
      !exclude.includes(name) && typeof type === 'string' && serviceTypes.includes(type),
  );

const agentNamedIn = (rego: string): string | undefined => /"selected_agent"\s*:\s*"([^"]+)"/.exec(rego)?.[1];

const rejects = (rego: string): boolean =>
  /"rejected"\s*:\s*true/.test(rego) &&
  !/"selected_agent"/.test(rego) &&
  !/"rejected"\s*:\s*false/.test(rego);
