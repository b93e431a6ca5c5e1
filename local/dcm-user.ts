import ky, { isHTTPError } from 'ky';
import * as z from 'zod';
import { type ControlPlaneClient, eventually } from './control-plane-client.ts';
import { orderOf } from './demo/catalog-item.ts';
import { vmSpec } from './demo/dcm-vm.ts';

/** A user of DCM who has one VM: of either generation. @throws ky's HTTPError where DCM refuses */
export type DcmUser = {
  /** Waits until DCM can have VMs created. @throws UnavailableError where it cannot in time */
  isReady(timeoutMs: number): Promise<void>;
  /** Answers DCM's id of the VM. */
  create(name: string): Promise<string>;
  delete(id: string): Promise<void>;
  /** Whether DCM lists it. */
  lists(id: string): Promise<boolean>;
  /** Waits until the row has the status, written in any case. @throws UnavailableError where it does not in time */
  reaches(id: string, status: string, timeoutMs: number): Promise<void>;
};

/** A user of the older DCM, who names a provider. `vmId` is the id that DCM is to give the VM; left out, it makes one. */
export const olderDcmUser = (client: ControlPlaneClient, provider: string, vmId?: string): DcmUser => ({
  isReady: async (timeoutMs) => void (await client.isReady(provider, timeoutMs)),
  create: async (name) => {
    const id = vmId === undefined ? {} : { id: vmId };
    return (await client.create({ provider, spec: vmSpec(name), ...id })).id;
  },
  delete: client.delete,
  lists: async (wanted) => (await client.instances()).some(({ id }) => id === wanted),
  reaches: async (id, status, timeoutMs) => void (await client.reaches(id, status, timeoutMs)),
});

const Ordered = z.object({ uid: z.string(), resource_ids: z.array(z.string()).min(1) });
const Row = z.object({ id: z.string(), status: z.string() });
const Agents = z.object({
  agents: z.array(z.object({ health_status: z.string(), service_types: z.array(z.string()) })),
});
const Providers = z.object({ results: z.array(z.object({ name: z.string(), status: z.string() })) });

type Reached = { readonly controlPlaneUrl: string; readonly agentUrl: string; readonly provider: string };

/** A user of today's DCM, who orders in the catalog: DCM chooses the agent, and the agent knows the provider. */
export const dcmUser = ({ controlPlaneUrl, agentUrl, provider }: Reached): DcmUser => {
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
  const serves = async () => {
    const { agents } = Agents.parse(await api.get('agents').json());
    const isServed = agents.some((one) => one.health_status === 'ready' && one.service_types.includes('vm'));
    const isReady = (await providers()).some((one) => one.name === provider && one.status === 'Ready');
    return isServed && isReady ? true : undefined;
  };
  return {
    isReady: async (timeoutMs) =>
      void (await eventually(
        serves,
        timeoutMs,
        async () => `the provider ${provider} is not ready: ${JSON.stringify(await providers())}`,
      )),
    create: async (name) => {
      const answer = await api.post('catalog-item-instances', { json: orderOf(name) }).json();
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
