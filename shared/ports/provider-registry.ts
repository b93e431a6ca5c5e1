import type { ListedProvider, ProviderRegistration } from '../wire/dcm-provider.ts';

/** A provider row as DCM holds it; times in seconds since 1970, undefined where DCM does not say. */
export type HeldRow = {
  /** On DCM's clock. */
  readonly createdAt: number | undefined;
  /** When we sent the registration that the row holds, on our clock. */
  readonly registeredAt: number | undefined;
};

/** What DCM said to a registration. Only `registered` means that it has the row. */
export type RegistrationAnswer =
  | {
      readonly outcome: 'registered' /** There was no such row before. */;
      readonly isNew: boolean;
      readonly row: HeldRow;
    }
  /**
   * It will say the same again until somebody changes something, here or there. `isConflict`: another provider has the service type, the
   * name or the id, and may give it up at any time.
   */
  | { readonly outcome: 'refused'; readonly detail: string; readonly isConflict?: true }
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

/** All providers that DCM has; `failure` says why it did not answer. */
export type ProviderListing =
  | { readonly providers: readonly ListedProvider[]; readonly failure?: undefined }
  | { readonly providers?: undefined; readonly failure: string };

/**
 * DCM's registry of service providers: an environment agent's, or that of a control plane of the older generation. Nothing here rejects,
 * and no `detail` shows a password or a token.
 */
export type ProviderRegistry = {
  /** The row as it is now; undefined where there is none, or nobody said. */
  find(id: string): Promise<HeldRow | undefined>;
  /** Asks once. Endpoints in it may carry the credentials of other providers. */
  list(): Promise<ProviderListing>;
  /** Makes the row or makes it anew; idempotent. Tries again for some seconds. */
  register(id: string, registration: ProviderRegistration): Promise<RegistrationAnswer>;
  /** Resolves as `withdrawn` also where there is no such row. An environment agent cannot forget: `refused`. */
  withdraw(id: string): Promise<WithdrawalAnswer>;
};
