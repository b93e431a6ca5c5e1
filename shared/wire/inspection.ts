import * as z from 'zod/mini';
import { ListedProvider } from './dcm-provider.ts';

/** Where one region is registered and what DCM has there, as the registration answers `{ "do": "inspect" }`. No credential is in it. */
const InspectedRegion = z.object({
  region: z.string(),
  /** Our name at DCM. */
  row: z.string(),
  kind: z.enum(['agent', 'control-plane']),
  url: z.string(),
  /** What we register as the address of the API. */
  endpoint: z.string(),
  /** Why DCM did not list its providers; `providers` is empty then. */
  failure: z.optional(z.string()),
  providers: z.array(ListedProvider),
});
export type InspectedRegion = z.infer<typeof InspectedRegion>;

export const Inspection = z.object({ regions: z.array(InspectedRegion) });
export type Inspection = z.infer<typeof Inspection>;
