import { setTimeout as sleep } from 'node:timers/promises';
import ky, { isHTTPError } from 'ky';
import * as z from 'zod';
import { UnavailableError } from '../../shared/core/errors.ts';
import type { ServiceType } from '../../shared/core/kind.ts';
import { type DemoSpec, orderFor } from './catalog-item.ts';

const Provider = z.object({
  id: z.string(),
  name: z.string(),
  endpoint: z.string(),
  service_type: z.string(),
  health_status: z.string(),
});
const Instance = z.object({
  id: z.string(),
  provider_name: z.string(),
  status: z.string(),
  spec: z.record(z.string(), z.unknown()).optional(),
});
export type Instance = z.infer<typeof Instance>;

type Creation = {
  readonly id?: string;
  readonly provider: string;
  readonly spec: Readonly<Record<string, unknown>>;
};

export type ControlPlaneClient = ReturnType<typeof controlPlaneClient>;

/** A user of an older control plane's API, the emulator's or DCM's own. @throws ky's HTTPError where it refuses. */
export const controlPlaneClient = (url: string) => {
  const api = ky.create({ prefixUrl: `${url}/api/v1alpha1`, retry: 0, timeout: 40_000 });

  const instance = async (id: string): Promise<Instance | undefined> => {
    try {
      return Instance.parse(await api.get(`service-type-instances/${id}`).json());
    } catch (error) {
      if (isHTTPError(error) && error.response.status === 404) return undefined;
      throw error;
    }
  };
  const providers = async () =>
    z.object({ providers: z.array(Provider) }).parse(await api.get('providers').json()).providers;

  return {
    providers,
    instance,
    instances: async () =>
      z.object({ instances: z.array(Instance) }).parse(await api.get('service-type-instances').json())
        .instances,
    create: async ({ id, provider, spec }: Creation): Promise<Instance> => {
      const searchParams = id === undefined ? {} : { id };
      const json = { provider_name: provider, spec };
      return Instance.parse(await api.post('service-type-instances', { searchParams, json }).json());
    },
    delete: async (id: string): Promise<void> => {
      await api.delete(`service-type-instances/${id}`);
    },
    /** Waits until the row has the status, written in any case. @throws UnavailableError where it does not in time */
    reaches: (id: string, status: string, timeoutMs: number) =>
      eventually(
        async () => {
          const row = await instance(id);
          return row?.status.toLowerCase() === status.toLowerCase() ? row : undefined;
        },
        timeoutMs,
        async () => `the row of ${id} is ${(await instance(id))?.status ?? 'gone'}, not ${status}`,
      ),
    /** Waits until a provider is registered and found healthy. @throws UnavailableError where it is not in time */
    isReady: (name: string, timeoutMs: number) =>
      eventually(
        async () => (await providers()).find((one) => one.name === name && one.health_status === 'ready'),
        timeoutMs,
        async () => `the provider ${name} is not ready: ${JSON.stringify(await providers())}`,
      ),
  };
};

/** Looks until there is something. @throws UnavailableError with the description where there is nothing in time */
const eventually = async <Result>(
  look: () => Promise<Result | undefined>,
  timeoutMs: number,
  describe: () => Promise<string>,
): Promise<Result> => {
  const deadline = Date.now() + timeoutMs;
  while (Date.now() < deadline) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(50);
  }
  throw new UnavailableError(await describe());
};

/** A user of DCM, of either generation. @throws ky's HTTPError where DCM refuses */
export type DcmUser = {
  /** Whether DCM itself deletes a resource that is FAILED, with its run. */
  readonly deletesFailed: boolean;
  /** Waits until DCM can have resources of the type created. @throws UnavailableError where it cannot in time */
  isReady(serviceType: ServiceType, timeoutMs: number): Promise<void>;
  /** `id` is a new id that the resource may get; today's DCM makes one itself. @returns the resource's id in DCM */
  create(spec: DemoSpec, id: string): Promise<string>;
  delete(id: string): Promise<void>;
  /** Whether DCM lists it. */
  lists(id: string): Promise<boolean>;
  /** Waits until the row has the status, written in any case. @throws UnavailableError where it does not in time */
  reaches(id: string, status: string, timeoutMs: number): Promise<void>;
};

/** Name of the provider of a service type in its home region; `provider` is the name of the deployment. */
export const providerOf = (provider: string, serviceType: ServiceType): string =>
  serviceType === 'vm' ? provider : `${provider}-${serviceType}`;

/** A user of the older DCM, who names a provider. */
export const olderDcmUser = (client: ControlPlaneClient, provider: string): DcmUser => ({
  deletesFailed: false,
  isReady: async (serviceType, timeoutMs) =>
    void (await client.isReady(providerOf(provider, serviceType), timeoutMs)),
  create: async (spec, id) =>
    (await client.create({ id, provider: providerOf(provider, spec.service_type), spec })).id,
  delete: client.delete,
  lists: async (wanted) => (await client.instances()).some(({ id }) => id === wanted),
  reaches: async (id, status, timeoutMs) => void (await client.reaches(id, status, timeoutMs)),
});

const Ordered = z.object({ uid: z.string(), resource_ids: z.array(z.string()).min(1) });
const Row = z.object({ id: z.string(), status: z.string() });
const Agents = z.object({
  agents: z.array(
    z.object({ name: z.string(), health_status: z.string(), service_types: z.array(z.string()) }),
  ),
});
const Providers = z.object({ results: z.array(z.object({ name: z.string(), status: z.string() })) });

type DcmEndpoints = {
  readonly controlPlaneUrl: string;
  readonly agentUrl: string;
  readonly provider: string;
  /** Of the account whose catalog items are ordered; undefined: the home account. */
  readonly alias?: string;
};

/** A user of today's DCM, who orders in the catalog: DCM chooses the agent, and the agent knows the provider. */
export const dcmUser = ({ controlPlaneUrl, agentUrl, provider, alias }: DcmEndpoints): DcmUser => {
  const apiOf = (url: string) => ky.create({ prefixUrl: `${url}/api/v1alpha1`, retry: 0, timeout: 40_000 });
  const [api, agent] = [apiOf(controlPlaneUrl), apiOf(agentUrl)];
  const orders = new Map<string, string>();
  const row = async (id: string) => {
    try {
      return Row.parse(await api.get(`service-type-instances/${id}`).json());
    } catch (error) {
      if (isHTTPError(error) && error.response.status === 404) return undefined;
      throw error;
    }
  };
  const providers = async () => Providers.parse(await agent.get('providers').json()).results;
  const serves = async (serviceType: ServiceType) => {
    const { agents } = Agents.parse(await api.get('agents').json());
    const isServed = agents.some(
      (one) =>
        one.health_status === 'ready' &&
        one.service_types.includes(serviceType) &&
        (alias === undefined || one.name.endsWith(`-${alias}`)),
    );
    const name = providerOf(provider, serviceType);
    const isReady = (await providers()).some((one) => one.name === name && one.status === 'Ready');
    return isServed && isReady ? true : undefined;
  };
  return {
    deletesFailed: true,
    isReady: async (serviceType, timeoutMs) =>
      void (await eventually(
        () => serves(serviceType),
        timeoutMs,
        async () =>
          `the provider ${providerOf(provider, serviceType)} is not ready: ${JSON.stringify(await providers())}`,
      )),
    create: async (spec) => {
      const answer = await api.post('catalog-item-instances', { json: orderFor(spec, alias) }).json();
      const { uid, resource_ids: [id = ''] = [] } = Ordered.parse(answer);
      orders.set(id, uid);
      return id;
    },
    delete: async (id) => void (await api.delete(`catalog-item-instances/${orders.get(id)}`)),
    lists: async (id) => (await row(id)) !== undefined,
    reaches: async (id, status, timeoutMs) =>
      void (await eventually(
        async () => ((await row(id))?.status === status.toLowerCase() ? true : undefined),
        timeoutMs,
        async () => `the row of ${id} is ${(await row(id))?.status ?? 'gone'}, not ${status}`,
      )),
  };
};
