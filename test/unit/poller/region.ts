import { publishEvents } from '../../../functions/nats-bridge/publish-events.ts';
import { readMessage } from '../../../functions/normaliser/read-message.ts';
import { reportStatus } from '../../../functions/normaliser/report-status.ts';
import type { PolledRegion } from '../../../functions/poller/env.ts';
import { pollRegion } from '../../../functions/poller/poll-region.ts';
import { republish } from '../../../functions/poller/republish.ts';
import type { Signal } from '../../../shared/domain/signal.ts';
import type { Instance, Page } from '../../../shared/ports/instances.ts';
import type { Observations } from '../../../shared/ports/observations.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import { memoryEventStream } from '../../fakes/memory-event-stream.ts';
import { memoryFleet } from '../../fakes/memory-fleet.ts';
import { memoryListings } from '../../fakes/memory-listings.ts';
import { described, scriptedInstances } from '../../fakes/scripted-instances.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { halfPastTen, tagKeys } from '../../fixtures/signals.ts';

export const minuteMs = 60_000;

/** One region as the poller and the normaliser see it, with the clock in the test's hand. */
export const polledRegion = (kind: PolledRegion['kind'] = 'legacy') => {
  const clock = { ms: (halfPastTen + 86_400) * 1000 };
  const now = () => clock.ms;
  const instances = scriptedInstances();
  const stream = memoryEventStream();
  const meter = countingMeter();
  const log = memoryLog();
  const queued: EventBridgeEvent[] = [];
  const delays: number[] = [];
  const identity = { provider: 'ec2-sp', tagKeys };
  let fleet = memoryFleet(now);
  let recalls = 0;
  let isLost = false;
  let listed: ((page: Page) => Page) | undefined;
  const watchedFleet = () => ({
    ...fleet,
    recall: (ids: readonly string[]) => {
      recalls += ids.length > 0 ? 1 : 0;
      return fleet.recall(ids);
    },
  });

  const listings = memoryListings(now);
  const observations: Observations = {
    send: async (more, afterSeconds = 0) => {
      queued.push(...more);
      delays.push(...more.map(() => afterSeconds));
    },
  };
  const worker = () =>
    pollRegion({
      ...identity,
      fleet: watchedFleet(),
      listings,
      instances: {
        describe: instances.describe.bind(instances),
        list: async (query) => {
          const page = await instances.list(query);
          return listed ? listed(page) : page;
        },
      },
      observations,
      floorSeconds: 10,
      now,
      random: () => 0,
      meter,
      log,
    });
  const poll = worker();

  /** The normaliser, with the fleet as it is. */
  const normaliser = () =>
    reportStatus({ ...identity, fleet, instances, now, meter, log, publisher: publishEvents(stream) });
  const normalise = async () => {
    const handle = normaliser();
    const read = readMessage({ now, log, meter });
    const taken = queued.splice(0);
    if (isLost) {
      isLost = false;
      return;
    }
    const batch = taken.map((one, index) => ({
      messageId: String(index),
      receiveCount: 2,
      signals: read(JSON.stringify(one)),
    }));
    if (batch.length > 0) await handle(batch);
  };

  return {
    clock,
    instances,
    meter,
    log,
    queued,
    /** The seconds for which each message was held back, ever. */
    delays,
    listings,
    normalise,
    worker,
    republish: (more: { at?: number; page?: number; queued?: number } = {}) =>
      republish({ fleet, listings, observations, now })({ do: 'republish', region: 'us-east-1', ...more }),
    recalls: () => recalls,
    /** What is queued next is never worked off. */
    loseQueue: () => {
      isLost = true;
    },
    /** Events reach the normaliser, in the order given, some at a time. */
    async deliver(signals: readonly Signal[], atOnce = 3) {
      const handle = normaliser();
      for (let start = 0; start < signals.length; start += atOnce) {
        const batch = signals.slice(start, start + atOnce);
        await handle(
          batch.map((signal, n) => ({ messageId: `${start + n}`, receiveCount: 2, signals: [signal] })),
        );
      }
    },
    setFleet: () => {
      fleet = memoryFleet(now);
    },
    fleet: () => fleet,
    /** What DescribeInstances by tag answers in the place of the truth; undefined: the truth. */
    distort: (change: ((page: Page) => Page) | undefined) => {
      listed = change;
    },
    /** An old VM of ours that EC2 knows. */
    add(n: number, change: Partial<Instance> = {}) {
      const instanceId = idOf(n);
      const tags = { 'managed-by': 'dcm', 'dcm-instance-id': `vm-${n}` };
      instances.known.set(instanceId, described({ instanceId, tags, ...change }));
      return instanceId;
    },
    change(n: number, change: Partial<Instance>) {
      const known = instances.known.get(idOf(n));
      if (known) instances.known.set(idOf(n), { ...known, ...change });
    },
    forget: (n: number) => void instances.known.delete(idOf(n)),
    /** Lists the whole region once, and lets the normaliser work off what came of it. */
    async list() {
      for (let page = 0; page < 200; page++) {
        const before = instances.listed;
        await poll({ region: 'us-east-1', kind });
        if (instances.listed === before || instances.lastPage) break;
      }
      await normalise();
    },
    /** Lists again and again, once every `everyMs`, until so much time has passed. */
    async listFor(totalMs: number, everyMs = 5 * minuteMs) {
      for (let passed = 0; passed < totalMs; passed += everyMs) {
        clock.ms += everyMs;
        await this.list();
      }
    },
    told: () => stream.stored.map(({ data }) => Object(data)),
    statusesOf: (n: number) =>
      stream.stored
        .map(({ data }) => Object(data))
        .filter(({ id }) => id === `vm-${n}`)
        .map(({ status }) => status),
  };
};

export const idOf = (n: number): string => `i-${String(n).padStart(17, '0')}`;
