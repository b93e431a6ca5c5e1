import * as z from 'zod/mini';
import { ServiceType } from '../core/kind.ts';
import { json } from './json-variable.ts';

/** The environment variable SERVICE_TYPES, a JSON list: the service types that are deployed. Absent: VMs alone. */
export const ServiceTypes = z.prefault(
  z.pipe(json, z.array(ServiceType).check(z.minLength(1))),
  JSON.stringify(['vm'] satisfies ServiceType[]),
);
