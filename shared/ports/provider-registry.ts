import type { ListedProvider, ProviderRegistration } from '../wire/dcm-provider.ts';

/** A provider as DCM holds it. Seconds since 1970; undefined where DCM does not say. */
export type HeldProvider = {
  /** On DCM's clock. */
  readonly createdAt: number | undefined;
  /** When we sent the registration that DCM holds, on our clock. */
  readonly registeredAt: number | undefined;
};

/** DCM's answer to a registration. DCM has the provider only where it is `registered`. */
export type RegistrationAnswer =
  | {
      readonly outcome: 'registered';
      /** DCM did not have the provider before. */
      readonly isNew: boolean;
      readonly held: HeldProvider;
    }
  /**
   * The answer stays the same until a setting is changed on either side. `isConflict`: another provider has the service type, the name
   * or the id, and may be removed at any time.
   */
  | { readonly outcome: 'refused'; readonly detail: string; readonly isConflict?: true }
  /** No answer, or one that asks for another attempt; not before `retryAfterSeconds`, where given. */
  | {
      readonly outcome: 'unreachable';
      readonly detail: string;
      readonly retryAfterSeconds: number | undefined;
    };

export type WithdrawalAnswer = {
  readonly outcome: 'withdrawn' | 'refused' | 'unreachable';
  readonly detail: string;
};

/** All providers that DCM has, or why DCM did not answer. */
export type ProviderListing =
  | { readonly providers: readonly ListedProvider[]; readonly failure?: undefined }
  | { readonly providers?: undefined; readonly failure: string };

/**
 * DCM's registry of service providers: of an environment agent, or of a control plane of the older generation. No method rejects, and no
 * `detail` shows a password or a token.
 */
export type ProviderRegistry = {
  /** The provider as DCM holds it; undefined where DCM has none with this id, or did not answer. */
  find(id: string): Promise<HeldProvider | undefined>;
  /** One request, without retries. Endpoints in the answer can carry the credentials of other providers. */
  list(): Promise<ProviderListing>;
  /** Creates or replaces the provider; idempotent. Retries for some seconds. */
  register(id: string, registration: ProviderRegistration): Promise<RegistrationAnswer>;
  /** `withdrawn` also where DCM has no such provider. `refused` by an environment agent, which cannot remove providers. */
  withdraw(id: string): Promise<WithdrawalAnswer>;
};
