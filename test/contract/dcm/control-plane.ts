import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import * as z from 'zod';
import { requestStream, responseSubject } from '../../../local/emulators/dcm/control-plane/requests.ts';
import {
  type ControlPlane,
  type ControlPlaneOptions,
  startControlPlane,
} from '../../../local/emulators/dcm/control-plane/start.ts';
import { startNatsServer } from '../../../local/emulators/nats-server/start-nats-server.ts';
import { connectProvider, statusEvent, temporaryFolder } from '../older-control-plane/dcm.ts';

const Request = z.object({
  id: z.string(),
  type: z.string(),
  data: z.object({ resource_id: z.string(), service_type: z.string(), spec: z.unknown().optional() }),
});
export type Request = z.infer<typeof Request>;

const Ordered = z.object({ uid: z.string(), run_id: z.string(), resource_ids: z.array(z.string()) });

/** nats-server, today's control plane on it, and what speaks to it: agents that answer as a test tells them, a provider, and users. */
export const startTodaysDcm = async (options: Partial<ControlPlaneOptions> = {}) => {
  const folder = await temporaryFolder();
  const nats = await startNatsServer({ storeDir: folder.path });
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const controlPlane = await startControlPlane({ natsUrl: nats.url, log, ...options });
  const connection = await connect({ servers: nats.url });
  const provider = await connectProvider(nats.url);
  const js = jetstream(connection);
  const call = callerOf(controlPlane);

  return {
    ...{ nats, lines, controlPlane, provider, call },
    /** Registers an agent. */
    agent: (name: string, changes: object = {}) =>
      call('POST', '/agents', {
        ...{ name, environment: 'test', topic_name: `dcm.agent.${name}`, service_types: ['vm'], cost: 'low' },
        ...changes,
      }),
    /** What was published to an agent so far. */
    requests: async (agent: string, subject = `dcm.agent.${agent}`): Promise<Request[]> => {
      const { streams } = await jetstreamManager(connection);
      const { state } = await streams.info(requestStream);
      const found: Request[] = [];
      for (let seq = Math.max(state.first_seq, 1); seq <= state.last_seq; seq++) {
        const message = await streams.getMessage(requestStream, { seq });
        if (message?.subject === subject) found.push(Request.parse(message.json()));
      }
      return found;
    },
    /** Answers as an agent does. */
    answer: async (type: string, resourceId: string, agent = 'a-1') => {
      const id = crypto.randomUUID();
      const data = { resource_id: resourceId, agent_name: agent, topic_name: `dcm.agent.${agent}` };
      const event = {
        specversion: '1.0',
        id,
        source: `dcm/agents/${agent}`,
        type: `dcm.agent.${type}`,
        data,
      };
      await js.publish(responseSubject, JSON.stringify(event), { msgID: id });
    },
    /** Publishes a status with outputs. */
    running: (id: string, address?: string) =>
      provider.publish(
        statusEvent({
          ...{ id, status: 'RUNNING', message: 'instance is running' },
          ...(address && { output_spec: { ip: [{ address, port: 22, scope: 'internal' }] } }),
        }),
      ),
    /** Publishes a status of a service type, on its own subject. */
    report: async (serviceType: string, id: string, status: string, outputSpec?: object) => {
      const data = { id, status, message: `it is ${status}`, ...(outputSpec && { output_spec: outputSpec }) };
      const [type, subject] = [`dcm.status.${serviceType}`, `dcm.${serviceType}`];
      await js.publish(subject, statusEvent(data, { type, subject }));
    },
    /** Orders an item of these resources; answers what the user gets. */
    order: async (resources: readonly object[], userValues: readonly object[] = []) => {
      const item = await call('POST', '/catalog-items', {
        ...{ api_version: 'v1alpha1', display_name: 'an item', spec: { resources } },
      });
      const { uid } = z.object({ uid: z.string() }).parse(item.body);
      const ordered = await call('POST', '/catalog-item-instances', {
        ...{ api_version: 'v1alpha1', display_name: 'mine' },
        spec: { catalog_item_id: uid, user_values: userValues },
      });
      return { status: ordered.status, body: ordered.body, ...Ordered.safeParse(ordered.body).data };
    },
    [Symbol.asyncDispose]: async () => {
      for (const part of [provider, controlPlane]) await part[Symbol.asyncDispose]();
      await connection.close();
      for (const part of [nats, folder]) await part[Symbol.asyncDispose]();
    },
  };
};

export type TodaysDcm = Awaited<ReturnType<typeof startTodaysDcm>>;

/** A user of the API: JSON in, and status, content type and body out. */
const callerOf =
  ({ url }: Pick<ControlPlane, 'url'>) =>
  async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${url}/api/v1alpha1${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const type = response.headers.get('content-type') ?? '';
    const text = await response.text();
    const parsed: unknown = type.includes('json') ? JSON.parse(text) : text;
    return { status: response.status, type, body: parsed };
  };

/** A resource of a catalog item of another service type, with the fields that are given. */
export const resource = (
  serviceType: string,
  name: string,
  requires: readonly string[] = [],
  fields: Readonly<Record<string, unknown>> = {},
) => ({
  ...{ name, service_type: serviceType, requires_resources: requires },
  fields: Object.entries(fields).map(([path, value]) => ({ path, default: value })),
});

/** A resource of a catalog item whose name users may give. */
export const vm = (name: string, requires: readonly string[] = [], fields: readonly object[] = []) => ({
  ...{ name, service_type: 'vm', requires_resources: requires },
  fields: [
    { path: 'vcpu.count', editable: true, default: 2, validation_schema: { type: 'integer', maximum: 8 } },
    { path: 'metadata.name', editable: true, default: name },
    { path: 'memory.size', default: '4GB' },
    ...fields,
  ],
});
