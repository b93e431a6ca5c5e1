import { join } from 'node:path';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { describe } from 'vitest';
import * as z from 'zod';
import {
  agentRequest,
  ensureWorkQueue,
  requestStream,
  responseStream,
  responseSubject,
} from '../../../local/emulators/dcm/control-plane/requests.ts';
import {
  defaultPace,
  type EnvironmentAgentOptions,
  startEnvironmentAgent,
} from '../../../local/emulators/dcm/environment-agent/start.ts';
import { startAgentBinary } from '../../../local/emulators/dcm/environment-agent/start-binary.ts';
import { startNatsServer } from '../../../local/emulators/nats-server/start-nats-server.ts';
import { type LocalServer, serve } from '../../../local/processes/loopback.ts';
import { skippedBecause } from '../../retried-and-skipped.ts';
import { temporaryFolder } from '../older-control-plane/dcm.ts';

type Started = Pick<EnvironmentAgentOptions, 'natsUrl' | 'controlPlaneUrl' | 'log'> & {
  readonly folder: string;
  readonly embedded: readonly string[];
};

/** An environment agent under test, with short intervals: the real one allows no shorter ones. */
export type AgentUnderTest = {
  readonly title: string;
  readonly start: (options: Started) => Promise<LocalServer>;
};

const name = 'a-1';
const pace = {
  ...defaultPace,
  health: { intervalMs: 1_000, timeoutMs: 500, threshold: 3 },
  forward: { attempts: 3, backoffMs: 100, maximumBackoffMs: 300 },
  ...{ handlerMs: 3_000, nakMs: 100, requeueMs: 1_000, registrationBackoffMs: 100 },
};

export const standIn: AgentUnderTest = {
  title: 'the emulator',
  start: ({ folder, ...options }) =>
    startEnvironmentAgent({ ...options, name, pace, persistencePath: join(folder, 'registrations') }),
};

const real = (path: string): AgentUnderTest => ({
  title: 'DCM’s own',
  start: ({ embedded, ...options }) =>
    startAgentBinary({
      ...{ ...options, path, name },
      environment: {
        ...{ AGENT_EMBEDDED_SPS: embedded.join(','), AGENT_HEALTH_CHECK_INTERVAL: '1s' },
        ...{ AGENT_HEALTH_CHECK_TIMEOUT: '500ms', AGENT_ROUTING_HANDLER_TIMEOUT: '3s' },
        ...{ AGENT_ROUTING_RETRY_BACKOFF: '100ms', AGENT_ROUTING_RETRY_MAX_BACKOFF: '300ms' },
        ...{ AGENT_ROUTING_NAK_DELAY: '100ms', DCM_REGISTRATION_INITIAL_BACKOFF: '100ms' },
      },
    }),
});

const { DCM_AGENT_BIN: binary } = process.env;

/** Why DCM's own environment agent is not tested; undefined where it is. */
export const whyNoAgent =
  binary === undefined
    ? "DCM_AGENT_BIN does not name DCM's environment agent, built from its source"
    : undefined;

/** Makes the tests for the emulator, and for DCM's own environment agent, which is skipped where `DCM_AGENT_BIN` names none. */
export const describeEachAgent = (
  what: (title: string) => string,
  tests: (subject: AgentUnderTest) => void,
): void => {
  describe(what(standIn.title), () => tests(standIn));
  const dcmsOwn = real(binary ?? '');
  describe(what(dcmsOwn.title), skippedBecause(whyNoAgent, { alsoInCi: true }), () => tests(dcmsOwn));
};

const Answer = z.object({
  type: z.string(),
  data: z.looseObject({ resource_id: z.string() }),
});

/** nats-server, the agent on it, and a control plane that only publishes requests and writes down what it is told. */
export const startAgentAlone = async (
  { start }: AgentUnderTest,
  { embedded = [] }: { readonly embedded?: readonly string[] } = {},
) => {
  const folder = await temporaryFolder();
  const nats = await startNatsServer({ storeDir: join(folder.path, 'nats') });
  const connection = await connect({ servers: nats.url });
  await ensureWorkQueue(connection, requestStream, 'dcm.agent.>');
  await ensureWorkQueue(connection, responseStream, responseSubject);
  const registrations: unknown[] = [];
  const controlPlane = await serve(async (request) => {
    if (request.method === 'POST') registrations.push(await request.json());
    return Response.json({ agent_id: 'agent-1' }, { status: 201 });
  });
  const lines: string[] = [];
  const options = {
    ...{ natsUrl: nats.url, controlPlaneUrl: controlPlane.url, folder: join(folder.path, 'agent'), embedded },
    log: (line: string) => void lines.push(line),
  };
  let agent = await start(options);
  const { streams } = await jetstreamManager(connection);
  const messagesOf = async (stream: string) => {
    const { state } = await streams.info(stream);
    const sequences = Array.from(
      { length: state.last_seq - state.first_seq + 1 },
      (_, n) => state.first_seq + n,
    );
    const found = await Promise.all(sequences.map((seq) => streams.getMessage(stream, { seq })));
    return found.flatMap((message) => (message ? [message] : []));
  };
  const answersOf = async (resourceId: string) =>
    (await messagesOf(responseStream))
      .map((message) => Answer.parse(message.json()))
      .filter(({ data }) => data.resource_id === resourceId);

  return {
    ...{ lines, registrations, answersOf, natsUrl: nats.url },
    url: () => agent.url,
    /** The stream that takes statuses, which the control plane makes. */
    createStatusStream: () => streams.add({ name: 'dcm-status', subjects: ['dcm.vm'] }),
    /** The types, and codes of errors, of what it answered of a resource. */
    outcomesOf: async (resourceId: string) =>
      (await answersOf(resourceId)).map(({ type, data }) =>
        String(data.error ?? type.replace('dcm.agent.', '')),
      ),
    call: async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
      const response = await fetch(`${agent.url}/api/v1alpha1${path}`, {
        ...{ method, headers: { 'content-type': 'application/json', ...headers } },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const answer: unknown = await response.json();
      return { status: response.status, headers: response.headers, body: answer };
    },
    publish: async (
      kind: 'create' | 'delete' | 'cancel',
      resourceId: string,
      { id = String(crypto.randomUUID()), serviceType = 'vm' } = {},
    ) => {
      const subject = `dcm.agent.${name}${kind === 'cancel' ? '.cancel' : ''}`;
      const spec =
        kind === 'create' ? { service_type: serviceType, metadata: { name: resourceId } } : undefined;
      const request = JSON.stringify(agentRequest(kind, subject, { resourceId, serviceType, spec }, id));
      await jetstream(connection).publish(subject, request, { msgID: id });
      return request;
    },
    publishRaw: (text: string) => jetstream(connection).publish(`dcm.agent.${name}`, text),
    /** What waits on the retry stream, oldest first. */
    held: async () =>
      (await messagesOf(`${name}-retry`)).map((message) => new TextDecoder().decode(message.data)),
    waiting: async () => (await streams.info(requestStream)).state.messages,
    stop: () => agent[Symbol.asyncDispose](),
    start: async () => {
      agent = await start(options);
    },
    [Symbol.asyncDispose]: async () => {
      for (const part of [agent, controlPlane]) await part[Symbol.asyncDispose]();
      await connection.close();
      for (const part of [nats, folder]) await part[Symbol.asyncDispose]();
    },
  };
};
export type AgentAlone = Awaited<ReturnType<typeof startAgentAlone>>;
