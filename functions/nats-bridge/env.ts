import * as z from 'zod/mini';

/** Environment of the nats-bridge. infra/functions.ts must supply exactly this. */
export const Env = z.object({
  /** Comma-separated `nats://` or `tls://` URLs of one NATS cluster. */
  NATS_URL: z.string().check(z.minLength(1)),
  /** Secrets Manager name or ARN of the NATS credentials (shared/adapters/nats/credentials.ts); absent: none are needed. */
  NATS_CREDENTIALS_SECRET: z.optional(z.string().check(z.minLength(1))),
  /**
   * Comma-separated JetStream streams that hold DCM's requests to environment agents; absent: nobody may look there. An agent that tries
   * again later keeps the request on a stream of its own, which is named here too.
   */
  AGENT_REQUESTS_STREAM: z.pipe(
    z.optional(
      z.string().check(z.regex(/^[^\s.*>,]+(,[^\s.*>,]+)*$/, 'expected names of JetStream streams')),
    ),
    z.transform((names): string[] => names?.split(',') ?? []),
  ),
});
export type Env = z.input<typeof Env>;
