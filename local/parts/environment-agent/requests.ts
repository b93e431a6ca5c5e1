import { randomUUID } from 'node:crypto';
import * as z from 'zod';

/** DCM's stream of requests to agents, and the subject of this one. */
export const requestStream = 'dcm-agent-requests';
export const topic = 'dcm.agent.local';

type Asked = { readonly resourceId: string; readonly serviceType: string };
type Spec = Readonly<Record<string, unknown>>;

/**
 * What DCM's control plane publishes for an agent.
 * @see https://github.com/dcm-project/control-plane (internal/sp/messaging/types.go)
 */
const request = (type: 'create' | 'delete', data: object, id: string) => ({
  specversion: '1.0',
  id,
  source: 'dcm/control-plane',
  type: `dcm.request.${type}`,
  subject: topic,
  datacontenttype: 'application/json',
  data,
});

export const createRequest = (
  { resourceId, serviceType, spec }: Asked & { readonly spec: Spec },
  id: string = randomUUID(),
) => request('create', { resource_id: resourceId, service_type: serviceType, spec }, id);

export const deleteRequest = ({ resourceId, serviceType }: Asked, id: string = randomUUID()) =>
  request('delete', { resource_id: resourceId, service_type: serviceType }, id);

const Data = z.object({ resource_id: z.string(), service_type: z.string() });

/** A request as an agent reads it. */
export const AgentRequest = z.discriminatedUnion('type', [
  z.object({
    id: z.string(),
    type: z.literal('dcm.request.create'),
    data: Data.extend({ spec: z.record(z.string(), z.unknown()) }),
  }),
  z.object({ id: z.string(), type: z.literal('dcm.request.delete'), data: Data }),
]);
export type AgentRequest = z.infer<typeof AgentRequest>;
