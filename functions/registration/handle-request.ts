import * as z from 'zod/mini';
import { reasonOf, UnreadableError } from '../../shared/core/errors.ts';
import { targetName } from '../../shared/core/target.ts';
import type { ProviderRegistry } from '../../shared/ports/provider-registry.ts';
import type { Registration } from '../../shared/ports/registrations.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import { tokensOf } from '../../shared/wire/api-tokens.ts';
import type { Inspection } from '../../shared/wire/inspection.ts';
import type { ProviderSettings, Registry } from './env.ts';
import { type Provider, providersOf } from './providers.ts';
import {
  keepProvidersRegistered,
  type RegistrationParts,
  type RegistrationResults,
  registerProviders,
  withdrawProviders,
} from './register-providers.ts';

/** What the custom resource is deployed with. A change of any property registers all providers again at the next deployment. */
export const ResourceProperties = z.object({
  /** URLs of all registries, environment agents' included, separated by commas. Earlier versions read this name. */
  controlPlaneUrl: z.string(),
  /** Names of the providers. */
  rowNames: z.array(z.string()),
});

/** @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requesttypes.html */
const StackRequest = z.discriminatedUnion('RequestType', [
  z.object({ RequestType: z.literal('Create'), ResourceProperties }),
  z.object({
    RequestType: z.literal('Update'),
    ResourceProperties,
    OldResourceProperties: ResourceProperties,
  }),
  z.object({ RequestType: z.literal('Delete'), ResourceProperties }),
]);
type StackRequest = z.infer<typeof StackRequest>;

/**
 * What the registration is invoked with: by the schedule to keep the providers registered, by people to register or withdraw them at
 * once, by `npm run doctor` to inspect what DCM has, or by CloudFormation.
 */
const Request = z.union([
  z.object({ do: z.enum(['keep-registered', 'register', 'withdraw', 'inspect']) }),
  StackRequest,
]);

/** `rows`: the result of each registration, by the provider's name. */
type Answer = StackAnswer | Inspection | { readonly rows: Readonly<Record<string, Registration>> };

type Parts = Omit<RegistrationParts, 'registryOf'> & {
  readonly registryOf: (registry: Registry) => ProviderRegistry;
  readonly settings: ProviderSettings;
  /** The text of a secret (shared/wire/api-tokens.ts) whose token goes into endpoints, by its id, or that of the deployment; undefined: there is none. */
  readonly secret: (id?: string) => Promise<string | undefined>;
};

/** @throws UnreadableError for anything that is no request; UnavailableError where no provider could be registered, for no token can be read. */
export const handleRequest = (parts: Parts) => {
  const { settings, secret, registryOf, registrations, log } = parts;
  const register = registerProviders(parts);
  const keepRegistered = keepProvidersRegistered(parts);
  const older = Object.values(settings.registries).find(({ kind }) => kind === 'control-plane');
  const withdraw = withdrawProviders({ controlPlane: older && registryOf(older), registrations, log });
  const providers = async () => {
    const ids = Object.values(settings.registries)
      .filter(({ endpointCredentials }) => endpointCredentials)
      .map(({ endpointTokenSecret }) => endpointTokenSecret);
    const tokens = new Map<string | undefined, string | undefined>();
    const failures: unknown[] = [];
    await Promise.all(
      [...new Set(ids)].map(async (id) => {
        try {
          tokens.set(id, newestToken(await secret(id)));
        } catch (error) {
          failures.push(error);
          log.error('the providers whose endpoints carry a token are not registered, for it cannot be read', {
            ...{ secret: id, reason: reasonOf(error) },
          });
        }
      }),
    );
    const readable = providersOf(settings, tokens);
    if (readable.length === 0 && failures.length > 0) throw failures[0];
    return readable;
  };
  const answerStack = customResource({ providers, register, withdraw, log });

  return async (given: unknown): Promise<Answer> => {
    const parsed = Request.safeParse(given);
    if (!parsed.success)
      throw new UnreadableError(`not a request to the registration: ${reasonOf(parsed.error)}`);
    const request = parsed.data;
    if ('RequestType' in request) return answerStack(request);
    if (request.do === 'keep-registered') return answerOf(await keepRegistered(await providers()));
    if (request.do === 'register') return answerOf(await register(await providers()));
    if (request.do === 'inspect') return inspect(registryOf, providersOf(settings));
    await withdraw(providersOf(settings).map(({ registration }) => registration.name));
    return { rows: {} };
  };
};

const newestToken = (secret: string | undefined) => (secret === undefined ? undefined : tokensOf(secret)[0]);

const answerOf = (results: RegistrationResults) => ({ rows: Object.fromEntries(results) });

/** For CDK's provider framework, which answers CloudFormation. */
type StackAnswer = {
  readonly PhysicalResourceId: string;
  readonly Data: { readonly outcome: string };
};

/** CloudFormation refuses outputs longer than 1,024 bytes. */
const longestOutcome = 1000;

type CustomResourceParts = {
  readonly providers: () => Promise<readonly Provider[]>;
  readonly register: (providers: readonly Provider[]) => Promise<RegistrationResults>;
  readonly withdraw: (providerNames: readonly string[]) => Promise<void>;
  readonly log: Log;
};

/**
 * Creates, updates and deletes the stack's custom resource. Every request succeeds, so that a deployment does not depend on DCM: the
 * schedule retries what failed. `outcome` is for the person who deploys.
 */
const customResource =
  ({ providers, register, withdraw, log }: CustomResourceParts) =>
  async (request: StackRequest): Promise<StackAnswer> => {
    try {
      await withdraw(removedProviders(request));
      if (request.RequestType === 'Delete') return stackAnswer('withdrawn');
      return stackAnswer(outcomeOf(await register(await providers())));
    } catch (error) {
      log.error('could not register the providers during the deployment; the schedule retries', {
        reason: reasonOf(error),
      });
      return stackAnswer(`not registered yet: ${reasonOf(error)}`);
    }
  };

/** The physical id never changes: CloudFormation would delete the resource with the old id, and so withdraw the providers. */
const stackAnswer = (outcome: string): StackAnswer => ({
  PhysicalResourceId: 'dcm-provider-rows',
  Data: { outcome: outcome.slice(0, longestOutcome) },
});

const removedProviders = (request: StackRequest): readonly string[] => {
  const { rowNames } = request.ResourceProperties;
  if (request.RequestType === 'Delete') return rowNames;
  if (request.RequestType === 'Create') return [];
  return request.OldResourceProperties.rowNames.filter((name) => !rowNames.includes(name));
};

const outcomeOf = (results: RegistrationResults): string =>
  [...results]
    .map(
      ([name, { outcome, detail }]) => `${name}: ${outcome}${outcome === 'registered' ? '' : ` (${detail})`}`,
    )
    .join('; ');

/** What DCM has where each of these providers is registered; changes nothing. */
const inspect = async (
  registryOf: (registry: Registry) => Pick<ProviderRegistry, 'list'>,
  providers: readonly Provider[],
): Promise<Inspection> => ({
  regions: await Promise.all(
    providers.map(async ({ serviceType, target, registry, registration }) => {
      const { providers: listed = [], failure } = await registryOf(registry).list();
      return {
        ...{
          region: targetName(target),
          serviceType,
          row: registration.name,
          kind: registry.kind,
          url: registry.url,
        },
        endpoint: registration.endpoint,
        ...(failure !== undefined && { failure }),
        providers: listed.map((one) => ({ ...one, endpoint: withoutCredentials(one.endpoint) })),
      };
    }),
  ),
});

const withoutCredentials = (endpoint: string | undefined): string | undefined =>
  endpoint?.replace(/^(https?:\/\/)[^/]*@/, '$1');
