import { type JetStreamClient, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { publishRequest } from '../functions/nats-bridge/handle-request.ts';
import { publishEvents } from '../functions/nats-bridge/publish-events.ts';
import { ensureStatusStream } from '../local/emulators/dcm/status-consumer.ts';
import { startNatsServer } from '../local/emulators/nats-server/start-nats-server.ts';
import { provider } from '../local/stack/options.ts';
import { natsLink } from '../shared/adapters/nats/connection.ts';
import { natsEventStream } from '../shared/adapters/nats/event-stream.ts';
import { randomPart } from '../shared/adapters/random-part.ts';
import { statusOf } from '../shared/core/resource.ts';
import type { EventStream } from '../shared/ports/event-stream.ts';
import { vmKind } from '../shared/service-types/vm/kind.ts';
import type { CloudEventJson } from '../shared/wire/cloudevents.ts';
import { statusEvent } from '../shared/wire/dcm-status.ts';
import { countingMeter, memoryLog } from '../test/fakes/silent.ts';
import { temporaryFolder } from './emulators.ts';
import type { Figures } from './figures.ts';
import { compareRates } from './measure.ts';
import { account, region, subjects } from './workload.ts';

const events = 10_000;
/** 2.6 MB, well within the 6 MB of an invocation: a queue that was full for a while, or another workload with much to say. */
const perRequest = 5_000;
const inFlight = 500;

/** The whole nats-bridge but Lambda's runtime, against nats.js publishing the same bytes to the same server with nothing around it. */
export const bridge = async (): Promise<Figures> => {
  await using folder = await temporaryFolder();
  await using server = await startNatsServer({ storeDir: folder.path });
  const stream = natsEventStream(natsLink([server.url], async () => ({})));
  const nats = await connect({ servers: server.url, noAsyncTraces: true }); // with a stack trace for each publish it is half as fast
  const manager = await jetstreamManager(nats);
  const statuses = statusEvents();
  const { ratio, productPerSecond, baselinePerSecond } = await compareRates({
    events,
    pairs: 21,
    product: throughBridge(stream, statuses),
    baseline: byBarePublish(jetstream(nats), statuses),
    reset: async () => {
      const { stream: name } = await ensureStatusStream(nats);
      await manager.streams.delete(name); // and with it the ids that it would recognise
      await ensureStatusStream(nats);
    },
  });
  stream.abandon();
  await nats.close();
  return {
    bridge_ratio: ratio,
    bridge_events_per_s: productPerSecond,
    bare_publish_events_per_s: baselinePerSecond,
  };
};

const throughBridge = (stream: EventStream, statuses: readonly CloudEventJson[]) => {
  const handle = publishRequest({
    publisher: publishEvents(stream),
    log: memoryLog(),
    meter: countingMeter(),
  });
  const requests = Array.from({ length: events / perRequest }, (_, index) => ({
    events: statuses.slice(index * perRequest, (index + 1) * perRequest),
  }));
  return async (): Promise<void> => {
    for (const request of requests) {
      const { acknowledged } = await handle(request);
      if (acknowledged.filter(({ duplicate }) => !duplicate).length < perRequest)
        throw new Error('The bridge did not publish every event.');
    }
  };
};

const byBarePublish = (js: JetStreamClient, statuses: readonly CloudEventJson[]) => {
  const messages = statuses.map((event) => ({ id: event.id, bytes: Buffer.from(JSON.stringify(event)) }));
  return async (): Promise<void> => {
    const left = messages.values();
    const publish = async () => {
      for (const { id, bytes } of left) await js.publish('dcm.vm', bytes, { msgID: id });
    };
    await Promise.all(Array.from({ length: inFlight }, publish));
  };
};

const statusEvents = (): CloudEventJson[] => {
  const at = Math.floor(Date.now() / 1000);
  return subjects(events, 'b').map((vm) => {
    const observation = {
      resourceId: vm.instanceId,
      kind: 'observation',
      region,
      account,
      at,
      state: 'running',
      seenBy: 'event',
    } as const;
    return statusEvent(
      { kind: vmKind, dcmId: vm.dcmId, resourceId: vm.instanceId, region },
      statusOf(vmKind, observation, randomPart()),
      provider,
    );
  });
};
