import ky from 'ky';
import * as z from 'zod';
import type { Kind } from '../../shared/core/kind.ts';
import { VmPage, VmResource } from '../../shared/service-types/vm/resource.ts';
import type { Endpoints } from '../stack/start-stack.ts';

type DcmEndpoints = Pick<Endpoints, 'providerApiUrl' | 'providerApiToken'>;

/** What every resource has, whatever its service type. */
const Resource = z.looseObject({ id: z.string(), status: z.string() });

export type ProviderApiClient = ReturnType<typeof providerApiClient>;

/** A user of the provider's own API, in the home region. @throws ky's HTTPError where it refuses. */
export const providerApiClient = ({ providerApiUrl, providerApiToken }: DcmEndpoints) => {
  const api = ky.create({
    prefixUrl: `${providerApiUrl}/api/v1alpha1`,
    headers: { authorization: `Bearer ${providerApiToken}` },
    retry: 0,
    timeout: 40_000,
  });
  return {
    create: async (id: string, spec: object) =>
      VmResource.parse(await api.post('vms', { searchParams: { id }, json: { spec } }).json()),
    get: async (id: string) => VmResource.parse(await api.get(`vms/${id}`).json()),
    list: async () => VmPage.parse(await api.get('vms').json()),
    change: async (id: string, action: 'start' | 'stop' | 'reboot') =>
      VmResource.parse(await api.post(`vms/${id}:${action}`).json()),
    delete: async (id: string): Promise<void> => {
      await api.delete(`vms/${id}`);
    },
    /** The resources of any collection. */
    of: (collection: Kind['collection']) => ({
      create: async (id: string, spec: object) =>
        Resource.parse(await api.post(collection, { searchParams: { id }, json: { spec } }).json()),
      get: async (id: string) => Resource.parse(await api.get(`${collection}/${id}`).json()),
      delete: async (id: string): Promise<void> => {
        await api.delete(`${collection}/${id}`);
      },
    }),
  };
};
