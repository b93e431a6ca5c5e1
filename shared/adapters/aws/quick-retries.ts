import type { EC2ClientConfig } from '@aws-sdk/client-ec2';
import { codeOf, isCapacity } from './errors.ts';

type Strategy = Extract<
  NonNullable<EC2ClientConfig['retryStrategy']>,
  { refreshRetryTokenForRetry: unknown }
>;
type Token = Awaited<ReturnType<Strategy['acquireInitialRetryToken']>>;

/** Milliseconds. The SDK's own strategy waits up to 20 s, but DCM waits only 10 s for our answer. */
const firstMs = 50;
const longestMs = 500;

const tokenOf = (count: number, delayMs: number): Token => ({
  getRetryCount: () => count,
  getRetryDelay: () => delayMs,
});

/**
 * Retries a call that AWS throttled, or that failed in AWS, after a random part of a delay that doubles. Does not retry where there is no
 * capacity: EC2 answers that with a 500 too, and would answer it again.
 */
export const quickRetries = ({ attempts }: { readonly attempts: number }): Strategy => ({
  acquireInitialRetryToken: async () => tokenOf(0, 0),
  refreshRetryTokenForRetry: async (token, { error, errorType }) => {
    const count = token.getRetryCount() + 1;
    if (errorType === 'CLIENT_ERROR' || isCapacity(codeOf(error)) || count >= attempts)
      throw error ?? new Error('out of attempts');
    return tokenOf(count, Math.floor(Math.random() * Math.min(longestMs, firstMs * 2 ** count)));
  },
  recordSuccess: () => {},
});
