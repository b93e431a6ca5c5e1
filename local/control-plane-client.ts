import { setTimeout as sleep } from 'node:timers/promises';
import ky, { isHTTPError } from 'ky';
import * as z from 'zod';
import { UnavailableError } from '../shared/core/errors.ts';

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

/** A user of an older control plane's API, the stand-in's or DCM's own. @throws ky's HTTPError where it refuses. */
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
export const eventually = async <Result>(
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
