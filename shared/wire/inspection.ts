import * as z from 'zod/mini';
import { ServiceType } from '../core/kind.ts';
import { ListedProvider } from './dcm-provider.ts';

/** The registration of one service type in a region, and DCM's providers there: the registration's answer to `{ "do": "inspect" }`, without credentials. */
const InspectedRegion = z.object({
  region: z.string(),
  /** Absent: vm, as earlier versions answer. */
  serviceType: z._default(ServiceType, 'vm'),
  /** Our name at DCM. */
  row: z.string(),
  kind: z.enum(['agent', 'control-plane']),
  url: z.string(),
  /** The address of the API that we register. */
  endpoint: z.string(),
  /** Why DCM did not list its providers; then `providers` is empty. */
  failure: z.optional(z.string()),
  providers: z.array(ListedProvider),
});
export type InspectedRegion = z.infer<typeof InspectedRegion>;

export const Inspection = z.object({ regions: z.array(InspectedRegion) });
export type Inspection = z.infer<typeof Inspection>;
