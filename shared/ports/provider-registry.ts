import type { ProviderRegistration } from '../wire/dcm-provider.ts';

/** A provider row as DCM holds it; times in seconds since 1970 on DCM's clock, undefined where DCM does not say. */
export type HeldRow = {
  readonly createdAt: number | undefined;
  readonly updatedAt: number | undefined;
};

/** What DCM said to a registration. Only `registered` means that it has the row. */
export type RegistrationAnswer =
  | {
      readonly outcome: 'registered' /** There was no such row before. */;
      readonly isNew: boolean;
      readonly row: HeldRow;
    }
  /** It will say the same again until somebody changes something, here or there. */
  | { readonly outcome: 'refused'; readonly detail: string }
  /** No answer, or one that asks for another attempt: not before `retryAfterSeconds`, where it says so. */
  | {
      readonly outcome: 'unreachable';
      readonly detail: string;
      readonly retryAfterSeconds: number | undefined;
    };

export type WithdrawalAnswer = {
  readonly outcome: 'withdrawn' | 'refused' | 'unreachable';
  readonly detail: string;
};

/**
 * DCM's registry of service providers: the control plane's, or an environment agent's. Nothing here rejects, and no `detail` shows a
 * password.
 */
export type ProviderRegistry = {
  /** The row as it is now; undefined where there is none, or nobody said. */
  find(id: string): Promise<HeldRow | undefined>;
  /** Makes the row or makes it anew; idempotent. Tries again for some seconds. */
  register(id: string, registration: ProviderRegistration): Promise<RegistrationAnswer>;
  /** Resolves as `withdrawn` also where there is no such row. An environment agent cannot forget: `refused`. */
  withdraw(id: string): Promise<WithdrawalAnswer>;
};
