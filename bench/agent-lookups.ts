import { jetstream, jetstreamManager, RetentionPolicy } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { handleRequest } from '../functions/nats-bridge/handle-request.ts';
import { publishEvents } from '../functions/nats-bridge/publish-events.ts';
import { vmSpec } from '../local/demo/catalog-item.ts';
import { agentRequest, requestStream } from '../local/emulators/dcm/control-plane/requests.ts';
import { startNatsServer } from '../local/emulators/nats-server/start-nats-server.ts';
import { natsAgentRequests } from '../shared/adapters/nats/agent-requests.ts';
import { natsLink } from '../shared/adapters/nats/connection.ts';
import { natsEventStream } from '../shared/adapters/nats/event-stream.ts';
import { natsProbe } from '../shared/adapters/nats/probe.ts';
import { UnavailableError } from '../shared/core/errors.ts';
import { FoundRequest } from '../shared/wire/bridge.ts';
import { countingMeter, memoryLog } from '../test/fakes/silent.ts';
import { temporaryFolder } from './emulators.ts';
import type { Figures } from './figures.ts';
import { median, timed } from './measure.ts';

const topic = 'dcm.agent.laptop';
const atOnce = 50;
const rounds = 5;

const history = 10_000;

/** How long creates by an agent wait until it is known which VM they are for: the whole nats-bridge but Lambda's runtime. */
export const agentLookups = async (): Promise<Figures> => {
  await using folder = await temporaryFolder();
  await using server = await startNatsServer({ storeDir: folder.path });
  const nats = await connect({ servers: server.url });
  const { streams } = await jetstreamManager(nats);
  const subjects = ['dcm.agent.>'];
  const publish = (dcmIds: readonly string[]) => {
    const [last = '', ...others] = [...dcmIds].reverse();
    for (const dcmId of others.reverse()) nats.publish(topic, JSON.stringify(requestOf(dcmId)));
    return jetstream(nats).publish(topic, JSON.stringify(requestOf(last))); // acknowledged after those before it
  };

  await streams.add({ name: requestStream, subjects, retention: RetentionPolicy.Workqueue });
  const slowest: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const dcmIds = Array.from({ length: atOnce }, (_, n) => `vm-${round}-${n}`);
    await publish(dcmIds);
    slowest.push(await withBridge(server.url, (find) => slowestLookup(find, dcmIds)));
    await streams.purge(requestStream); // an agent removes what was answered
  }

  await streams.delete(requestStream);
  await streams.add({ name: requestStream, subjects, retention: RetentionPolicy.Limits });
  await publish(Array.from({ length: history }, (_, n) => `vm-${n}`));
  const newest: number[] = [];
  const missing: number[] = [];
  for (let round = 0; round < rounds; round++) {
    newest.push(await withBridge(server.url, (find) => slowestLookup(find, [`vm-${history - 1}`])));
    missing.push(await withBridge(server.url, (find) => timed(() => untilMissing(find))));
  }
  await nats.close();
  return {
    agent_lookup_slowest_ms_50: median(slowest),
    agent_lookup_history_ms_10k: median(newest),
    agent_lookup_missing_ms_10k: median(missing),
  };
};

const keyOf = (dcmId: string) => `request-of-${dcmId}`;
const requestOf = (dcmId: string) =>
  agentRequest('create', topic, { resourceId: dcmId, serviceType: 'vm', spec: vmSpec(dcmId) }, keyOf(dcmId));

type Find = (idempotencyKey: string) => Promise<string | null>;

/** By a bridge that is connected, and has read none of the requests. */
const withBridge = async (url: string, measure: (find: Find) => Promise<number>): Promise<number> => {
  const link = natsLink([url], async () => ({}));
  await link.ready();
  const bridge = handleRequest({
    publisher: publishEvents(natsEventStream(link)),
    probe: natsProbe(link, ['dcm.vm']),
    ...{
      requestStreams: [requestStream],
      statusSubjects: ['dcm.vm'],
      streams: async () => ({ names: [], statusStreams: [] }),
    },
    agentRequests: natsAgentRequests(link, [requestStream]),
    log: memoryLog(),
    meter: countingMeter(),
  });
  const ms = await measure(
    async (idempotencyKey) =>
      FoundRequest.parse(await bridge({ do: 'find-request', idempotencyKey })).resourceId,
  );
  link.abandon();
  return ms;
};

const slowestLookup = async (find: Find, dcmIds: readonly string[]): Promise<number> => {
  const times = await Promise.all(
    dcmIds.map((dcmId) =>
      timed(async () => {
        if ((await find(keyOf(dcmId))) !== dcmId) throw new Error(`The request for ${dcmId} was not found.`);
      }),
    ),
  );
  return Math.max(...times);
};

/** Each call reads for a second at most, and the next one continues: an agent calls again, too. */
const untilMissing = async (find: Find): Promise<void> => {
  const found = await find('no-such-request').catch((error: unknown) => {
    if (error instanceof UnavailableError) return undefined;
    throw error;
  });
  if (found === undefined) return untilMissing(find);
  if (found !== null) throw new Error('A request was found that was never published.');
};
