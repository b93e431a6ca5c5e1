import * as z from 'zod/mini';
import { ServiceType } from '../core/kind.ts';
import { json } from './json-variable.ts';

/** The environment variable SERVICE_TYPES, a JSON list: the service types that are deployed. Absent: VMs alone. */
export const ServiceTypes = z.prefault(
  z.pipe(json, z.array(ServiceType).check(z.minLength(1))),
  JSON.stringify(['vm'] satisfies ServiceType[]),
);

/** The variables of the functions that read the AWS services of the service types that are deployed; all are absent for VMs alone. */
export const servedVariables = {
  SERVICE_TYPES: ServiceTypes,
  /** JSON: the name of the ECS cluster of each target where containers run, by the target's key (shared/core/target.ts). */
  ECS_CLUSTERS: z.prefault(z.pipe(json, z.record(z.string(), z.string())), '{}'),
  /** Whether containers get public addresses, for which EC2 is asked. */
  PUBLIC_CONTAINERS: z._default(z.enum(['true', 'false']), 'false'),
};
