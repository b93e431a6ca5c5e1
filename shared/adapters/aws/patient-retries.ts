import type { EC2ClientConfig } from '@aws-sdk/client-ec2';
import { codeOf, isCapacity } from '../../service-types/vm/ec2/errors.ts';

type Strategy = Extract<
  NonNullable<EC2ClientConfig['retryStrategy']>,
  { refreshRetryTokenForRetry: unknown }
>;
type Token = Awaited<ReturnType<Strategy['acquireInitialRetryToken']>>;

/** Sooner than the SDK's own, which waits up to 20 s: who waits for our answer gives up after 10 s. */
const firstMs = 50;
const longestMs = 500;

const tokenOf = (count: number, delayMs: number): Token => ({
  getRetryCount: () => count,
  getRetryDelay: () => delayMs,
});

/**
 * Tries a call again soon, after a random part of a delay that doubles, where AWS throttled it or failed. Not where there is no capacity: EC2
 * says so with a 500 too, and would say so again.
 */
export const patientRetries = ({ attempts }: { readonly attempts: number }): Strategy => ({
  acquireInitialRetryToken: async () => tokenOf(0, 0),
  refreshRetryTokenForRetry: async (token, { error, errorType }) => {
    const count = token.getRetryCount() + 1;
    if (errorType === 'CLIENT_ERROR' || isCapacity(codeOf(error)) || count >= attempts)
      throw error ?? new Error('out of attempts');
    return tokenOf(count, Math.floor(Math.random() * Math.min(longestMs, firstMs * 2 ** count)));
  },
  recordSuccess: () => {},
});
