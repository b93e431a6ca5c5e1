import { publishEvents } from '../../../functions/nats-bridge/publish-events.ts';
import { reportStatus } from '../../../functions/normaliser/normalise.ts';
import { readMessage } from '../../../functions/normaliser/read-message.ts';
import type { PolledRegion } from '../../../functions/poller/env.ts';
import { pollTarget } from '../../../functions/poller/poll-target.ts';
import { randomPart } from '../../../shared/adapters/random-part.ts';
import type { ResourceMessage } from '../../../shared/core/message.ts';
import type { Instance, Page } from '../../../shared/ports/instances.ts';
import type { Observations } from '../../../shared/ports/observations.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import { memoryEventStream } from '../../fakes/memory-event-stream.ts';
import { memoryListings } from '../../fakes/memory-listings.ts';
import { memoryResourceStore } from '../../fakes/memory-resource-store.ts';
import { described, scriptedInstances } from '../../fakes/scripted-instances.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { halfPastTen, tagKeys } from '../../fixtures/resource-messages.ts';

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
  const later: EventBridgeEvent[] = [];
  const delays: number[] = [];
  const identity = { provider: 'ec2-sp', tagKeys };
  let resourceStore = memoryResourceStore(now);
  let recalls = 0;
  let isLost = false;
  let listed: ((page: Page) => Page) | undefined;
  const watchedFleet = () => ({
    ...resourceStore,
    read: (ids: readonly string[]) => {
      recalls += ids.length > 0 ? 1 : 0;
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
  const worker = () =>
    pollTarget({
      ...identity,
      resourceStore: watchedFleet(),
      listings,
      instances: {
        describe: instances.describe.bind(instances),
        impaired: (...asked) => impaired.apply(instances, asked),
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
  const { save } = listings;
  let { impaired } = instances;

  /** The normaliser, with the fleet as it is. */
  const normaliser = () =>
    reportStatus({
      ...{ ...identity, resourceStore, instances, now, meter, log, publisher: publishEvents(stream) },
      ...{ listings, retries: { deadLetter: async () => undefined }, randomPart },
      observations: { send: async (more) => void later.push(...more) }, // done only where a test wants it
      burst: 99, // nor what it holds back for later
    });
  const handleAll = async (events: readonly EventBridgeEvent[]) => {
    const handle = normaliser();
    const read = readMessage({ regions: ['us-east-1'], now, log, meter });
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
    /** The seconds for which each message was held back, ever. */
    delays,
    listings,
    /** As listings are saved but for what a test does to it. */
    save,
    normalise,
    worker,
    /** Somebody wants every status once more. */
    want: (at = Math.floor(clock.ms / 1000)) => listings.requestRepublication('us-east-1', at),
    release: () => listings.release('us-east-1'),
    /** One page, of which nothing is worked off. */
    poll: () => poll({ region: 'us-east-1', kind }),
    recalls: () => recalls,
    /** What is queued next is never worked off. */
    loseQueue: () => {
      isLost = true;
    },
    /** Events reach the normaliser, in the order given, some at a time. */
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
    /** What the normaliser asked of itself so far is done, but for what is lost of it. */
    async lookAgain(isLookLost: () => boolean = () => false) {
      await handleAll(later.splice(0).filter(() => !isLookLost()));
    },
    setImpaired: (answer: typeof impaired) => {
      impaired = answer;
    },
    setFleet: () => {
      resourceStore = memoryResourceStore(now);
    },
    resourceStore: () => resourceStore,
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

/** How many VMs were told to be deleted. */
export const deletions = (told: readonly { status: string }[]): number =>
  told.filter(({ status }) => status === 'DELETED').length;
