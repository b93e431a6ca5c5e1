import { targetName } from '../../shared/core/target.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Listings } from '../../shared/ports/listings.ts';
import type {
  HeldProvider,
  ProviderRegistry,
  RegistrationAnswer,
} from '../../shared/ports/provider-registry.ts';
import type { Registration, Registrations } from '../../shared/ports/registrations.ts';
import type { Log, Meter } from '../../shared/ports/telemetry.ts';
import type { Registry } from './env.ts';
import { type Provider, providerIdOf } from './providers.ts';

export type RegistrationParts = {
  readonly registryOf: (registry: Registry) => Pick<ProviderRegistry, 'find' | 'register'>;
  readonly registrations: Registrations;
  readonly listings: Pick<Listings, 'requestRepublication'>;
  readonly now: Clock;
  readonly log: Log;
  readonly meter: Meter;
};

/** By the provider's name. */
export type RegistrationResults = ReadonlyMap<string, Registration>;

/** One run starts no registration later than this: a registry that does not answer takes 28 seconds, and the function has 60. */
const lastStartMs = 30_000;

/**
 * Registers the providers one after the other, the first one first. A failure of one does not stop the others.
 * @throws UnavailableError, after all were tried, where the resource store failed for one.
 */
export const registerProviders =
  (parts: RegistrationParts) =>
  async (providers: readonly Provider[]): Promise<RegistrationResults> =>
    registerEach(parts, providers, await parts.registrations.read(providers.map(nameOf)));

/** The same, without the providers whose next attempt is not due yet. */
export const keepProvidersRegistered =
  (parts: RegistrationParts) =>
  async (providers: readonly Provider[]): Promise<RegistrationResults> => {
    const last = await parts.registrations.read(providers.map(nameOf));
    const nowSeconds = parts.now() / 1000;
    const waiting = new Map([...last].filter(([, { nextAttemptAt = 0 }]) => nextAttemptAt > nowSeconds));
    for (const { outcome } of waiting.values()) countOutcome(parts.meter, outcome);
    const due = providers.filter((provider) => !waiting.has(nameOf(provider)));
    return new Map([...waiting, ...(await registerEach(parts, due, last))]);
  };

const registerEach = async (
  parts: RegistrationParts,
  providers: readonly Provider[],
  last: RegistrationResults,
): Promise<RegistrationResults> => {
  const register = registerProvider(parts);
  const startedAtMs = parts.now();
  const results = new Map<string, Registration>();
  const failures: unknown[] = [];
  for (const provider of inOrder(providers, last)) {
    const name = nameOf(provider);
    if (parts.now() - startedAtMs > lastStartMs)
      results.set(name, last.get(name) ?? notTried(provider, startedAtMs));
    else
      await register(provider, last.get(name)).then(
        (registration) => results.set(name, registration),
        (error: unknown) => failures.push(error),
      );
  }
  if (failures.length > 0) throw failures[0];
  return results;
};

/** The first provider, then the others by their last attempt, oldest first, so that registries that do not answer delay no other for long. */
const inOrder = ([first, ...others]: readonly Provider[], last: RegistrationResults): Provider[] => {
  if (first === undefined) return [];
  const lastAt = (provider: Provider) => last.get(nameOf(provider))?.at ?? 0;
  return [first, ...others.toSorted((one, other) => lastAt(one) - lastAt(other))];
};

const notTried = ({ id }: Provider, atMs: number): Registration => ({
  ...{
    outcome: 'unreachable',
    detail: 'not tried yet: other registries took too long; the next run tries it',
  },
  ...{ at: Math.floor(atMs / 1000), providerId: id },
});

const nameOf = ({ registration }: Provider): string => registration.name;

/** After a refusal other than a conflict, which only a changed setting resolves; a shorter pause would fill DCM's log. */
const refusedPauseSeconds = 600;
/** The longest pause that DCM can ask for. */
const longestPauseSeconds = 3600;
/**
 * How often every status of a region is republished behind an environment agent: nothing shows there that the control plane was restored
 * or lost statuses (docs/adr/0043).
 */
const republishSeconds = 6 * 3600;

/**
 * Registers one provider and records the result. Recorded last: after a crash, the next attempt notices again that DCM lost statuses.
 * @throws UnavailableError where the resource store failed.
 */
const registerProvider =
  ({ registryOf, registrations, listings, now, log, meter }: RegistrationParts) =>
  async (provider: Provider, last: Registration | undefined): Promise<Registration> => {
    const { id, serviceType, target, registration } = provider;
    const registry = registryOf(provider.registry);
    const found = await registry.find(id);
    const sentAt = Math.floor(now() / 1000);
    const answer = await registry.register(id, {
      ...registration,
      metadata: metadataOf(target.region, sentAt),
    });
    const at = Math.floor(now() / 1000);

    report(answer);
    const lostStatuses = answer.outcome === 'registered' && hasLostStatuses(last, found, answer);
    if (lostStatuses)
      log.info("DCM's row of the provider is new or restored: every status of the region is republished", {
        ...{ provider: registration.name, region: targetName(target) },
      });
    const republishes =
      lostStatuses || (answer.outcome === 'registered' && isRepublicationDue(provider, last, at));
    const listed = serviceType === 'vm' ? target : { ...target, serviceType };
    if (republishes) await listings.requestRepublication(listed, at);
    const result = {
      ...registrationOf(answer, last, { at, sentAt }),
      ...{ providerId: id, republishedAt: republishes ? at : last?.republishedAt },
    };
    await registrations.record(registration.name, result);
    return result;

    function report(given: RegistrationAnswer) {
      const fields = { provider: registration.name, id, ...('detail' in given && { detail: given.detail }) };
      if (given.outcome === 'refused' && !isKnownConflict(given, last))
        log.error('DCM refuses to register the provider', fields);
      if (given.outcome === 'unreachable') log.warn('DCM cannot be reached to register the provider', fields);
      if (given.outcome === 'registered' && last?.outcome !== 'registered')
        log.info('DCM has registered the provider', fields);
      countOutcome(meter, given.outcome);
    }
  };

/** A conflict is tried again every minute, but logged once. */
const isKnownConflict = (
  { isConflict, detail }: Extract<RegistrationAnswer, { outcome: 'refused' }>,
  last: Registration | undefined,
): boolean => isConflict === true && detail === last?.detail;

/** Counted at every run while it lasts, so that the alarm lasts as long. */
const countOutcome = (meter: Meter, outcome: Registration['outcome']): void => {
  if (outcome === 'refused') meter.count('registrationRefused');
  if (outcome === 'unreachable') meter.count('registrationUnreachable');
};

const isRepublicationDue = ({ registry }: Provider, last: Registration | undefined, at: number): boolean =>
  registry.kind === 'agent' && at - (last?.republishedAt ?? 0) >= republishSeconds;

const metadataOf = (region: string, sentAt: number) => ({
  ...{ region_code: region, registered_at: new Date(sentAt * 1000).toISOString() },
});

const registrationOf = (
  answer: RegistrationAnswer,
  last: Registration | undefined,
  { at, sentAt }: { readonly at: number; readonly sentAt: number },
): Omit<Registration, 'providerId'> => {
  if (answer.outcome === 'registered')
    return {
      ...{ outcome: 'registered', detail: 'DCM has the provider', at },
      ...{ rowCreatedAt: answer.held.createdAt, registeredAt: sentAt },
    };
  const { outcome, detail } = answer;
  const { rowCreatedAt, registeredAt } = last ?? {};
  return { outcome, detail, at, rowCreatedAt, registeredAt, nextAttemptAt: nextAttemptAt(answer, at) };
};

const nextAttemptAt = (
  answer: Exclude<RegistrationAnswer, { outcome: 'registered' }>,
  at: number,
): number | undefined => {
  if (answer.outcome === 'refused') return answer.isConflict ? undefined : at + refusedPauseSeconds;
  if (answer.retryAfterSeconds === undefined) return undefined;
  return at + Math.min(answer.retryAfterSeconds, longestPauseSeconds);
};

/**
 * True where a registry lost its rows or was restored from a backup: DCM can have lost statuses with it, so every current one is
 * republished. Its row is then new, or holds an older registration than the last one that it accepted. DCM's own `update_time` does not
 * show it, because DCM's health checks write it too.
 */
export const hasLostStatuses = (
  last: Pick<Registration, 'rowCreatedAt' | 'registeredAt'> | undefined,
  found: HeldProvider | undefined,
  { isNew, held }: Pick<Extract<RegistrationAnswer, { outcome: 'registered' }>, 'isNew' | 'held'>,
): boolean =>
  isNew || differs(held.createdAt, last?.rowCreatedAt) || isEarlier(found?.registeredAt, last?.registeredAt);

/** The row was created again, and the answer that said so did not reach us. */
const differs = (createdAt: number | undefined, lastCreatedAt: number | undefined) =>
  createdAt !== undefined && lastCreatedAt !== undefined && createdAt !== lastCreatedAt;

const isEarlier = (found: number | undefined, last: number | undefined) =>
  found !== undefined && last !== undefined && found < last;

type WithdrawParts = {
  /** Of the older generation; undefined where the providers are registered at environment agents, which cannot remove them. */
  readonly controlPlane: Pick<ProviderRegistry, 'withdraw'> | undefined;
  readonly registrations: Pick<Registrations, 'forget'>;
  readonly log: Log;
};

/**
 * Removes providers from DCM where DCM allows it, and logs where not: the deletion of a stack must not depend on DCM.
 * @throws UnavailableError where the resource store failed.
 */
export const withdrawProviders =
  ({ controlPlane, registrations, log }: WithdrawParts) =>
  async (providerNames: readonly string[]): Promise<void> => {
    await Promise.all(
      providerNames.map(async (provider) => {
        const { outcome, detail } = (await controlPlane?.withdraw(providerIdOf(provider))) ?? keptByAgent;
        if (outcome === 'withdrawn') log.info('withdrew a provider from DCM', { provider, detail });
        else log.warn('could not withdraw a provider from DCM', { provider, detail });
        await registrations.forget(provider);
      }),
    );
  };

const keptByAgent = {
  outcome: 'refused',
  detail: 'an environment agent keeps it until its AGENT_SP_PERSISTENCE_PATH is cleared',
} as const;
