import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';
import {
  FailedPreconditionError,
  SettingsError,
  UnprocessableError,
} from '../../../../shared/core/errors.ts';
import { longestId, resourceIdPattern } from '../api-conventions.ts';

const Metadata = z.looseObject({
  resources: z
    .object({
      total_cpu: z.string().optional(),
      total_memory: z.string().optional(),
      total_storage: z.string().optional(),
      total_node: z.int().optional(),
    })
    .optional(),
});

/**
 * A provider's registration. Read-only fields are refused.
 * @see https://github.com/dcm-project/environment-agent (api/v1alpha1/openapi.yaml)
 */
export const Registration = z.object({
  name: z.string(),
  endpoint: z.string(),
  service_type: z.string(),
  schema_version: z.string(),
  display_name: z.string().optional(),
  operations: z.array(z.string()).optional(),
  metadata: Metadata.optional(),
  ...Object.fromEntries(
    ['id', 'path', 'type', 'status', 'last_check_time', 'create_time', 'update_time'].map((name) => [
      name,
      z.undefined(`readOnly property "${name}" in request`).optional(),
    ]),
  ),
});
export type Registration = z.infer<typeof Registration>;

/** A registered provider, as it is stored in the agent's file. */
export const Provider = z.object({
  id: z.string().min(1),
  name: z.string().min(1),
  endpoint: z.string(),
  service_type: z.string().min(1),
  schema_version: z.string().min(1),
  display_name: z.string().optional(),
  operations: z.array(z.string()).optional(),
  metadata: Metadata.optional(),
  type: z.enum(['embedded', 'external']),
  /** RFC 3339. */
  create_time: z.string(),
  update_time: z.string(),
});
export type Provider = z.infer<typeof Provider>;

/** The providers of an agent, one for each service type. They survive a restart; external providers are never removed. */
export type Providers = {
  /**
   * Idempotent by name. `isMoved`: the endpoint or the service type has changed.
   * @throws UnprocessableError for an invalid value; FailedPreconditionError where another provider has the type, the name or the id
   */
  register(
    registration: Registration,
    id?: string,
  ): Promise<{ readonly provider: Provider; readonly isNew: boolean; readonly isMoved: boolean }>;
  list(): readonly Provider[];
  get(id: string): Provider | undefined;
  /** The provider of a service type. */
  serving(serviceType: string): Provider | undefined;
};

type Options = {
  /** Path of the file. @default in memory only */
  readonly path?: string | undefined;
  /** Service types of embedded providers, as `AGENT_EMBEDDED_SPS`. A type that an external provider has already is left to it. */
  readonly embedded?: readonly string[] | undefined;
};

/** @throws SettingsError where the file cannot be read. */
export const openProviders = async ({ path, embedded = [] }: Options): Promise<Providers> => {
  const persisted = path === undefined ? [] : await read(path);
  const providers = persisted.filter(({ type }) => type === 'external');
  for (const type of embedded)
    if (!providers.some((one) => one.service_type === type))
      providers.push({
        ...{ id: randomUUID(), name: type, endpoint: `embedded://${type}`, service_type: type },
        ...{ schema_version: 'v1alpha1', type: 'embedded', create_time: now(), update_time: now() },
      });
  const save = async () => {
    if (path !== undefined) await write(path, providers);
  };
  await save();
  const serving = (type: string) => providers.find((one) => one.service_type === type);
  let queue: Promise<unknown> = Promise.resolve();

  const register = async (registration: Registration, id?: string) => {
    const wanted = valid(registration, id);
    const known = providers.find(({ name }) => name === wanted.name);
    checkConflicts(providers, { wanted, known, id });
    const provider: Provider = {
      ...wanted,
      ...{ id: known?.id ?? id ?? randomUUID(), type: known?.type ?? 'external' },
      ...{ create_time: known?.create_time ?? now(), update_time: now() },
    };
    providers.splice(
      known === undefined ? providers.length : providers.indexOf(known),
      known ? 1 : 0,
      provider,
    );
    await save();
    const isMoved = known?.endpoint !== provider.endpoint || known.service_type !== provider.service_type;
    return { provider, isNew: known === undefined, isMoved };
  };
  return {
    register: (registration, id) => {
      const registering = queue.then(() => register(registration, id));
      queue = registering.catch(() => undefined); // one after the other, so that two do not get the same type
      return registering;
    },
    list: () => [...providers],
    get: (id) => providers.find((one) => one.id === id),
    serving,
  };
};

type Claim = {
  readonly wanted: Pick<Provider, 'service_type'>;
  /** The provider of this name. */
  readonly known: Provider | undefined;
  readonly id: string | undefined;
};

/** @throws FailedPreconditionError where another provider has the id or the service type, or the name has another id */
const checkConflicts = (providers: readonly Provider[], { wanted, known, id }: Claim): void => {
  if (known !== undefined && id !== undefined && id !== known.id)
    refuse(`provider already exists with ID '${known.id}'; cannot re-register with different ID '${id}'`);
  const namesake = providers.find((one) => one !== known && one.id === id);
  if (namesake !== undefined) refuse(`provider ID '${id}' is already used by provider '${namesake.name}'`);
  const holder = providers.find((one) => one !== known && one.service_type === wanted.service_type);
  if (holder !== undefined)
    refuse(`service type '${wanted.service_type}' is already served by provider '${holder.name}'`);
};

const versionPattern = /^v[0-9]+(alpha|beta)?[0-9]*$/;

/** The registration with name and service type trimmed. @throws UnprocessableError that names the invalid field. */
const valid = (registration: Registration, id: string | undefined) => {
  const wanted = {
    ...registration,
    ...{ name: registration.name.trim(), service_type: registration.service_type.trim() },
  };
  const faults: readonly (readonly [string, string | undefined])[] = [
    ['id', id === undefined || resourceIdPattern.test(id) ? undefined : faultOfId(id)],
    ['name', wanted.name === '' ? 'must not be empty' : undefined],
    ['service_type', wanted.service_type === '' ? 'must not be empty' : undefined],
    ['schema_version', faultOfVersion(wanted.schema_version)],
    ['endpoint', faultOfEndpoint(wanted.endpoint)],
  ];
  for (const [field, fault] of faults)
    if (fault !== undefined) throw new UnprocessableError(`invalid ${field}: ${fault}`);
  return wanted;
};

const faultOfId = (id: string): string => {
  if (id === '') return 'provider ID must not be empty';
  if (id.length > longestId) return 'provider ID must be at most 63 characters';
  return /^-|-$/.test(id)
    ? 'provider ID must not start or end with a hyphen'
    : 'provider ID must contain only lowercase alphanumeric characters and hyphens';
};

const faultOfVersion = (version: string): string | undefined => {
  if (version === '') return 'schema version must not be empty';
  return versionPattern.test(version)
    ? undefined
    : 'schema version must match format vN[alpha|beta]N (e.g. v1alpha1)';
};

const faultOfEndpoint = (endpoint: string): string | undefined => {
  if (!/^https?:/.test(endpoint)) return 'scheme must be http or https';
  if (!URL.canParse(endpoint)) return 'missing host';
  const { search, hash } = new URL(endpoint);
  if (search !== '') return 'endpoint must not contain query parameters';
  return hash === '' ? undefined : 'endpoint must not contain a fragment';
};

const refuse = (message: string): never => {
  throw new FailedPreconditionError(message);
};

const now = () => new Date().toISOString();

const read = async (path: string): Promise<Provider[]> => {
  const text = await readFile(path, 'utf8').catch(() => '');
  if (text === '') return [];
  const { data, error } = z.array(Provider).safeParse(JSON.parse(text));
  if (data === undefined)
    throw new SettingsError(
      `${path} is not an environment agent's file of providers: ${z.prettifyError(error)}`,
    );
  return data;
};

/** Replaces the file atomically. */
const write = async (path: string, providers: readonly Provider[]): Promise<void> => {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, JSON.stringify(providers), { mode: 0o600 }); // endpoints can contain credentials
  await rename(`${path}.new`, path);
};
