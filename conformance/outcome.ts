/** The result of a check. */
export type Outcome =
  | { readonly verdict: 'pass' }
  | { readonly verdict: 'fail' | 'skip' | 'deviation'; readonly reason: string };

/** The provider does not do what the check's sentence says; the message says what it did. */
export class NotConforming extends Error {
  override name = 'NotConforming' as const;
}

/**
 * The provider does not do what a test of DCM demands, and does what another part of DCM relies on instead; the message says what, and on
 * what. Only where DCM's own parts contradict each other.
 */
export class Deviation extends Error {
  override name = 'Deviation' as const;
}

/** The check cannot be run; the message says why. */
export class Skipped extends Error {
  override name = 'Skipped' as const;
}

/** @throws NotConforming where the condition does not hold. */
export function must(condition: unknown, otherwise: string): asserts condition {
  if (!condition) throw new NotConforming(otherwise);
}

/** The message of an error, with its cause's, because `fetch` gives the reason only in the cause. */
export const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
};
