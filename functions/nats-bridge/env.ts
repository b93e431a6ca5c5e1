import * as z from 'zod/mini';
import { ServiceTypes } from '../../shared/runtime/service-types.ts';

/** The environment variables of the nats-bridge. infra/functions.ts must supply exactly these. */
export const Env = z.object({
  /** Comma-separated `nats://` or `tls://` URLs of one NATS cluster. */
  NATS_URL: z.string().check(z.minLength(1)),
  /** Secrets Manager name or ARN of the NATS credentials (shared/adapters/nats/credentials.ts); absent: NATS needs none. */
  NATS_CREDENTIALS_SECRET: z.optional(z.string().check(z.minLength(1))),
  /**
   * Comma-separated JetStream streams that hold DCM's requests to environment agents, also the agents' own retry streams; absent: the
   * look-up is not configured.
   */
  AGENT_REQUESTS_STREAM: z.pipe(
    z.optional(
      z.string().check(z.regex(/^[^\s.*>,]+(,[^\s.*>,]+)*$/, 'expected names of JetStream streams')),
    ),
    z.transform((names): string[] => names?.split(',') ?? []),
  ),
  /** JSON list of the service types whose statuses are published. */
  SERVICE_TYPES: ServiceTypes,
});
export type Env = z.input<typeof Env>;
