import * as z from 'zod/mini';
import { reasonOf, UnreadableError } from '../../shared/core/errors.ts';
import type { ProviderRegistry } from '../../shared/ports/provider-registry.ts';
import type { Registration } from '../../shared/ports/registrations.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import { tokensOf } from '../../shared/wire/api-tokens.ts';
import type { Inspection } from '../../shared/wire/inspection.ts';
import { type Provider, type ProviderRow, providerRows } from './providers.ts';
import {
  keepRowsRegistered,
  type Outcomes,
  type Parts as RowsParts,
  registerRows,
  withdrawRows,
} from './register-providers.ts';

type Parts = RowsParts & {
  readonly registryOf: (row: ProviderRow) => Pick<ProviderRegistry, 'find' | 'register' | 'list'>;
  readonly provider: Provider;
  /** The text of the secret (shared/wire/api-tokens.ts) whose token goes into the endpoints; undefined: none does. */
  readonly secret: () => Promise<string | undefined>;
  /** A control plane of the older generation, from which rows can be withdrawn. */
  readonly controlPlane: Pick<ProviderRegistry, 'withdraw'> | undefined;
};

type Answer = StackAnswer | Inspection | { readonly rows: Readonly<Record<string, Registration>> };

/** Answers the schedule, people and CloudFormation. @throws UnreadableError for anything else. */
export const handleRequest = (parts: Parts) => {
  const rows = async () => providerRows(parts.provider, newestToken(await parts.secret()));
  const register = registerRows(parts);
  const keepRegistered = keepRowsRegistered(parts);
  const withdraw = withdrawRows(parts);
  const answer = answerStack({ rows, register, withdraw, log: parts.log });

  return async (given: unknown): Promise<Answer> => {
    const parsed = Request.safeParse(given);
    if (!parsed.success)
      throw new UnreadableError(`not a request to the registration: ${reasonOf(parsed.error)}`);
    const request = parsed.data;
    if ('RequestType' in request) return answer(request);
    if (request.do === 'keep-registered') return answered(await keepRegistered(await rows()));
    if (request.do === 'register') return answered(await register(await rows()));
    if (request.do === 'inspect') return inspectRows(parts, providerRows(parts.provider, undefined));
    await withdraw((await rows()).map(({ registration }) => registration.name));
    return { rows: {} };
  };
};

const newestToken = (secret: string | undefined) => (secret === undefined ? undefined : tokensOf(secret)[0]);

const answered = (outcomes: Outcomes) => ({ rows: Object.fromEntries(outcomes) });

/** What the custom resource is deployed with: whatever changes here has the rows registered anew at the next deployment. */
export const ResourceProperties = z.object({
  /** Of the registries, environment agents too, separated by commas: the name is the one that earlier versions read. */
  controlPlaneUrl: z.string(),
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
export type StackRequest = z.infer<typeof StackRequest>;

/**
 * What the registration is invoked with: by the schedule to keep the rows registered, by people to register or withdraw them at once,
 * by `npm run doctor` to inspect what DCM has, or by CloudFormation.
 */
const Request = z.union([
  z.object({ do: z.enum(['keep-registered', 'register', 'withdraw', 'inspect']) }),
  StackRequest,
]);
export type Request = z.infer<typeof Request>;

type AnswerStackParts = {
  readonly rows: () => Promise<readonly ProviderRow[]>;
  readonly register: (rows: readonly ProviderRow[]) => Promise<Outcomes>;
  readonly withdraw: (rowNames: readonly string[]) => Promise<void>;
  readonly log: Log;
};

/** For CDK's provider framework, which tells CloudFormation. */
export type StackAnswer = {
  readonly PhysicalResourceId: string;
  readonly Data: { readonly outcome: string };
};

/** CloudFormation refuses outputs that are longer than 1,024 bytes. */
const longestOutcome = 1000;

/**
 * Creates, updates and deletes the stack's custom resource, which always succeeds: what DCM did not take now, the schedule goes on
 * trying. `outcome` says how it went, for people who deploy.
 */
const answerStack =
  ({ rows, register, withdraw, log }: AnswerStackParts) =>
  async (request: StackRequest): Promise<StackAnswer> => {
    try {
      await withdraw(removedRows(request));
      return answer(request.RequestType === 'Delete' ? 'withdrawn' : outcomeOf(await register(await rows())));
    } catch (error) {
      log.error('the provider rows are not as the deployment wants them', { reason: reasonOf(error) });
      return answer(`not registered yet: ${reasonOf(error)}`);
    }
  };

/** One resource for ever: a new id would have CloudFormation delete the old one, and so the rows. */
const answer = (outcome: string): StackAnswer => ({
  PhysicalResourceId: 'dcm-provider-rows',
  Data: { outcome: outcome.slice(0, longestOutcome) },
});

const removedRows = (request: StackRequest): readonly string[] => {
  const { rowNames } = request.ResourceProperties;
  if (request.RequestType === 'Delete') return rowNames;
  if (request.RequestType === 'Create') return [];
  return request.OldResourceProperties.rowNames.filter((row) => !rowNames.includes(row));
};

const outcomeOf = (outcomes: Outcomes): string =>
  [...outcomes]
    .map(
      ([row, { outcome, detail }]) => `${row}: ${outcome}${outcome === 'registered' ? '' : ` (${detail})`}`,
    )
    .join('; ');

type InspectRowsParts = { readonly registryOf: (row: ProviderRow) => Pick<ProviderRegistry, 'list'> };

/** What DCM has where each of these rows is registered; changes nothing. The rows must carry no credentials. */
const inspectRows = async (
  { registryOf }: InspectRowsParts,
  rows: readonly ProviderRow[],
): Promise<Inspection> => ({
  regions: await Promise.all(
    rows.map(async (row) => {
      const { region, registry, registration } = row;
      const { providers = [], failure } = await registryOf(row).list();
      return {
        ...{ region, row: registration.name, kind: registry.kind, url: registry.url },
        endpoint: registration.endpoint,
        ...(failure !== undefined && { failure }),
        providers: providers.map((listed) => ({ ...listed, endpoint: withoutCredentials(listed.endpoint) })),
      };
    }),
  ),
});

const withoutCredentials = (endpoint: string | undefined): string | undefined =>
  endpoint?.replace(/^(https?:\/\/)[^/]*@/, '$1');
