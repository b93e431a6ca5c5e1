/** What AWS charges for while regions are polled. */
export type Usage = {
  readonly transitions: number;
  readonly invocations: number;
  readonly invocationMs: number;
  readonly reads: number;
  readonly writes: number;
};

/** The poller's memory, as infra/constructs/poller.ts deploys it. */
const gib = 0.5;

/**
 * List prices of us-east-1 in dollars, without the free tier.
 * @see https://aws.amazon.com/step-functions/pricing/ Standard workflows
 * @see https://aws.amazon.com/lambda/pricing/ Arm
 * @see https://aws.amazon.com/dynamodb/pricing/on-demand/ Standard table class
 */
const prices = {
  transition: 25e-6,
  invocation: 0.2e-6,
  gibSecond: 0.0000133334,
  read: 0.125e-6,
  write: 0.625e-6,
};

export const dollars = ({ transitions, invocations, invocationMs, reads, writes }: Usage): number =>
  transitions * prices.transition +
  invocations * prices.invocation +
  (invocationMs / 1000) * gib * prices.gibSecond +
  reads * prices.read +
  writes * prices.write;
