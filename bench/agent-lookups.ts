import { jetstream, jetstreamManager, RetentionPolicy } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { handleRequest } from '../functions/nats-bridge/handle-request.ts';
import { publishEvents } from '../functions/nats-bridge/publish-events.ts';
import { vmSpec } from '../local/demo/dcm-vm.ts';
import { createRequest, requestStream, topic } from '../local/parts/environment-agent/requests.ts';
import { startNatsServer } from '../local/parts/nats-server/start-nats-server.ts';
import { natsAgentRequests } from '../shared/adapters/nats-agent-requests.ts';
import { natsLink } from '../shared/adapters/nats-connection.ts';
import { natsEventStream } from '../shared/adapters/nats-event-stream.ts';
import { natsProbe } from '../shared/adapters/nats-probe.ts';
import { countingMeter, memoryLog } from '../test/fakes/silent.ts';
import type { Figures } from './figures.ts';
import { median } from './statistics.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { timed } from './timed.ts';

const atOnce = 50;
const rounds = 5;

/** How long the slowest of fifty creates by an agent waits until it is known which VM it is for: the whole nats-bridge but Lambda's runtime. */
export const agentLookups = async (): Promise<Figures> => {
  await using folder = await temporaryFolder();
  await using server = await startNatsServer({ storeDir: folder.path });
  const nats = await connect({ servers: server.url });
  const { streams } = await jetstreamManager(nats);
  await streams.add({
    name: requestStream,
    subjects: ['dcm.agent.>'],
    retention: RetentionPolicy.Workqueue,
  });
  const slowest: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const vmIds = Array.from({ length: atOnce }, (_, n) => `vm-${round}-${n}`);
    for (const vmId of vmIds) await jetstream(nats).publish(topic, JSON.stringify(requestOf(vmId)));
    slowest.push(await slowestLookup(server.url, vmIds));
    await streams.purge(requestStream); // an agent removes what was answered
  }
  await nats.close();
  return { agent_lookup_slowest_ms_50: median(slowest) };
};

const requestOf = (vmId: string) =>
  createRequest({ resourceId: vmId, serviceType: 'vm', spec: vmSpec(vmId) }, `request-of-${vmId}`);

/** By a bridge that is connected, and has read none of the requests. */
const slowestLookup = async (url: string, vmIds: readonly string[]): Promise<number> => {
  const link = natsLink([url], async () => ({}));
  await link.ready();
  const bridge = handleRequest({
    publisher: publishEvents(natsEventStream(link)),
    probe: natsProbe(link, 'dcm.vm'),
    agentRequests: natsAgentRequests(link, [requestStream]),
    log: memoryLog(),
    meter: countingMeter(),
  });
  const times = await Promise.all(
    vmIds.map((vmId) =>
      timed(async () => {
        const answer = await bridge({ do: 'find-request', idempotencyKey: `request-of-${vmId}` });
        if (!('resourceId' in answer) || answer.resourceId !== vmId)
          throw new Error(`The request for ${vmId} was not found.`);
      }),
    ),
  );
  link.abandon();
  return Math.max(...times);
};
