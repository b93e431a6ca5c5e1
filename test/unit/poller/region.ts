import { publishEvents } from '../../../functions/nats-bridge/publish-events.ts';
import { reportStatus } from '../../../functions/normaliser/normalise.ts';
import { readMessage } from '../../../functions/normaliser/read-message.ts';
import type { PolledTarget } from '../../../functions/poller/env.ts';
import { pollTarget } from '../../../functions/poller/poll-target.ts';
import { randomPart } from '../../../shared/adapters/random-part.ts';
import type { ResourceMessage } from '../../../shared/core/message.ts';
import type { Page } from '../../../shared/ports/described-resources.ts';
import type { Observations } from '../../../shared/ports/observations.ts';
import type { Instance, Instances } from '../../../shared/service-types/vm/ports.ts';
import { servedVms } from '../../../shared/service-types/vm/served.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import { memoryEventStream } from '../../fakes/memory-event-stream.ts';
import { memoryListings } from '../../fakes/memory-listings.ts';
import { memoryResourceStore } from '../../fakes/memory-resource-store.ts';
import { described, scriptedInstances } from '../../fakes/scripted-instances.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { halfPastTen, tagKeys } from '../../fixtures/resource-messages.ts';

export const minuteMs = 60_000;

const target = { region: 'us-east-1' };

/** One region with the poller, the normaliser and a clock that the test moves. */
export const polledRegion = (mode: PolledTarget['mode'] = 'legacy') => {
  const clock = { ms: (halfPastTen + 86_400) * 1000 };
  const now = () => clock.ms;
  const instances = scriptedInstances();
  const stream = memoryEventStream();
  const meter = countingMeter();
  const log = memoryLog();
  const queued: EventBridgeEvent[] = [];
  const later: EventBridgeEvent[] = [];
  const delays: number[] = [];
  const identity = { provider: 'ec2-sp', tagKeys };
  let resourceStore = memoryResourceStore(now);
  let reads = 0;
  let isLost = false;
  let listed: ((page: Page<Instance>) => Page<Instance>) | undefined;
  const countedStore = () => ({
    ...resourceStore,
    read: (ids: readonly string[]) => {
      reads += ids.length > 0 ? 1 : 0;
      return resourceStore.read(ids);
    },
  });

  const listings = memoryListings(now);
  const observations: Observations = {
    send: async (more, afterSeconds = 0) => {
      queued.push(...more);
      delays.push(...more.map(() => afterSeconds));
    },
  };
  const listing: Instances = {
    describe: instances.describe.bind(instances),
    list: async (query) => {
      const page = await instances.list(query);
      return listed ? listed(page) : page;
    },
  };
  const worker = () =>
    pollTarget({
      ...identity,
      resourceStore: countedStore(),
      listings,
      types: [
        {
          ...servedVms(listing),
          statusChecks: { impaired: (...question) => impaired.apply(instances, question) },
        },
      ],
      observations,
      floorSeconds: 10,
      now,
      random: () => 0,
      meter,
      log,
    });
  const poll = worker();
  const { save } = listings;
  let { impaired } = instances;

  /** The normaliser with the present resource store. */
  const normaliser = () =>
    reportStatus({
      ...{ ...identity, resourceStore, now, meter, log, publisher: publishEvents(stream) },
      types: [servedVms(instances)],
      ...{ listings, retries: { deadLetter: async () => undefined }, randomPart },
      observations: { send: async (more) => void later.push(...more) }, // processed only where a test asks for it
      burst: 99, // holds nothing back
    });
  const handleAll = async (events: readonly EventBridgeEvent[]) => {
    const handle = normaliser();
    const read = readMessage({ regions: ['us-east-1'], ...identity, now, log, meter });
    const batch = events.map((one, index) => ({
      messageId: String(index),
      isRetry: true,
      resourceMessages: read(JSON.stringify(one)),
    }));
    if (batch.length > 0) await handle(batch);
  };
  const normalise = async () => {
    const taken = queued.splice(0);
    if (!isLost) await handleAll(taken);
    isLost = false;
  };

  return {
    clock,
    instances,
    meter,
    log,
    queued,
    /** The delay in seconds of each queued message. */
    delays,
    listings,
    /** `save` of the listings, which a test can replace. */
    save,
    normalise,
    worker,
    /** Requests a republication. */
    requestRepublication: (at = Math.floor(clock.ms / 1000)) => listings.requestRepublication(target, at),
    release: () => listings.releaseBreaker(target),
    /** Lists one page; the normaliser does not run. */
    poll: () => poll({ target, mode }),
    reads: () => reads,
    /** Drops the messages that are queued next. */
    loseQueue: () => {
      isLost = true;
    },
    /** Sends events to the normaliser, in this order, in batches. */
    async deliver(resourceMessages: readonly ResourceMessage[], atOnce = 3) {
      const handle = normaliser();
      for (let start = 0; start < resourceMessages.length; start += atOnce) {
        const batch = resourceMessages.slice(start, start + atOnce);
        await handle(
          batch.map((resourceMessage, n) => ({
            messageId: `${start + n}`,
            isRetry: true,
            resourceMessages: [resourceMessage],
          })),
        );
      }
    },
    /** Processes the messages that the normaliser queued for itself, without lost ones. */
    async followUp(isLost: () => boolean = () => false) {
      await handleAll(later.splice(0).filter(() => !isLost()));
    },
    setImpaired: (answer: typeof impaired) => {
      impaired = answer;
    },
    loseResourceStore: () => {
      resourceStore = memoryResourceStore(now);
    },
    resourceStore: () => resourceStore,
    /** Changes the answers of DescribeInstances by tag; undefined: no change. */
    distort: (change: ((page: Page<Instance>) => Page<Instance>) | undefined) => {
      listed = change;
    },
    /** Adds a VM of ours to EC2, by default launched long ago. */
    add(n: number, change: Partial<Instance> = {}) {
      const instanceId = idOf(n);
      const tags = { 'managed-by': 'dcm', 'dcm-instance-id': `vm-${n}` };
      instances.known.set(instanceId, described({ resourceId: instanceId, tags, ...change }));
      return instanceId;
    },
    change(n: number, change: Partial<Instance>) {
      const known = instances.known.get(idOf(n));
      if (known) instances.known.set(idOf(n), { ...known, ...change });
    },
    forget: (n: number) => void instances.known.delete(idOf(n)),
    /** Lists the whole region once, and runs the normaliser. */
    async list() {
      for (let page = 0; page < 200; page++) {
        const before = instances.listed;
        await poll({ target, mode });
        if (instances.listed === before || instances.lastPage) break;
      }
      await normalise();
    },
    /** Lists once every `everyMs`, for a time of `totalMs`. */
    async listFor(totalMs: number, everyMs = 5 * minuteMs) {
      for (let passed = 0; passed < totalMs; passed += everyMs) {
        clock.ms += everyMs;
        await this.list();
      }
    },
    published: () => stream.stored.map(({ data }) => Object(data)),
    statusesOf: (n: number) =>
      stream.stored
        .map(({ data }) => Object(data))
        .filter(({ id }) => id === `vm-${n}`)
        .map(({ status }) => status),
  };
};

export const idOf = (n: number): string => `i-${String(n).padStart(17, '0')}`;

/** The number of DELETED among published statuses. */
export const deletions = (published: readonly { status: string }[]): number =>
  published.filter(({ status }) => status === 'DELETED').length;
