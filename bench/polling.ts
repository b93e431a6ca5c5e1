import * as z from 'zod';
import { startTable } from './emulators.ts';
import type { Figures } from './figures.ts';
import { median } from './measure.ts';
import { busyDollars, idleDollars } from './polling-cost.ts';
import { pollingOfKinds } from './polling-kinds.ts';
import {
  changes,
  type PolledRegions,
  polledRegions,
  storeInstances,
  storeListings,
} from './polling-regions.ts';
import { startModule } from './processes.ts';

const region = 'us-west-2';
const legacyRegions = ['eu-north-1', 'eu-west-3', 'sa-east-1', 'us-west-1', 'us-west-2'];
const longerThanAnyIntervalMs = 660_000;
/** As many for a small region as for a large one, so that only what is kept from page to page differs. */
const pages = 100;

/** What it takes to list regions: time, calls, capacity, memory and money. The poller without Lambda's runtime, EC2 answering at once. */
export const polling = async (): Promise<Figures> => {
  const small = await unchangedListing(1_000, 15);
  const medium = await unchangedListing(10_000, 7);
  const large = await unchangedListing(100_000, 3);
  const changed = await changedListing(10_000, 5);
  return {
    poll_ec2_calls_10k: medium.calls,
    poll_read_units_unchanged_10k: medium.reads,
    poll_write_units_unchanged_10k: medium.writes,
    poll_units_changed_10k_read: changed.reads,
    poll_units_changed_10k_write: changed.writes,
    poll_ms_1k: small.ms,
    poll_ms_10k: medium.ms,
    poll_ms_100k: large.ms,
    poll_ms_changed_10k: changed.ms,
    poll_peak_memory_ratio: (await peakHeap(pages * 1_000)) / (await peakHeap(1_000)),
    poll_idle_dollars_per_day: await idleDollars(legacyRegions),
    ...(await pollingOfKinds()),
    poll_busy_dollars_per_day: await busyDollars(region),
  };
};

/** What it takes to list a region once, from its first page to its last. */
type Listing = {
  readonly ms: number;
  readonly calls: number;
  readonly reads: number;
  readonly writes: number;
};

/** A region in which nothing changes; medians of so many listings. */
const unchangedListing = async (vms: number, times: number): Promise<Listing> => {
  await using dynamoDb = await startTable();
  using polled = polledRegions({ dynamoDbUrl: dynamoDb.url, regions: [region], vms });
  await storeListings(polled);
  await storeInstances(polled); // an unchanged page is compared with the table once an hour

  const listing = await medianListing(polled, times);
  if (polled.queued.length > 0) throw new Error('The poller found a change where there was none.');
  return listing;
};

/** A region in which one VM in a hundred changes before each listing; medians of so many listings. */
const changedListing = async (vms: number, times: number): Promise<Listing> => {
  await using dynamoDb = await startTable();
  using polled = polledRegions({ dynamoDbUrl: dynamoDb.url, regions: [region], vms });
  await storeListings(polled);
  await storeInstances(polled);
  return await medianListing(polled, times, changes(polled, region, vms)); // DynamoDB must run until then
};

/** The first one, which warms up, does not count. */
const medianListing = async (
  polled: PolledRegions,
  times: number,
  before: () => Promise<void> = async () => {},
): Promise<Listing> => {
  const listings: Listing[] = [];
  for (let time = 0; time <= times; time++) {
    await before();
    listings.push(await listOnce(polled));
    polled.skip(longerThanAnyIntervalMs);
  }
  const counted = listings.slice(1);
  return {
    ms: median(counted.map(({ ms }) => ms)),
    calls: median(counted.map(({ calls }) => calls)),
    reads: median(counted.map(({ reads }) => reads)),
    writes: median(counted.map(({ writes }) => writes)),
  };
};

const listOnce = async ({ handle, ec2, units }: PolledRegions): Promise<Listing> => {
  const [before, callsBefore, startedAt] = [units(), ec2.calls(), performance.now()];
  do await handle({ do: 'poll', region });
  while (!ec2.isAtEnd());
  const ms = performance.now() - startedAt;
  const calls = ec2.calls() - callsBefore;
  if (calls === 0) throw new Error('The poller did not list a region that was due.');
  return { ms, calls, reads: units().reads - before.reads, writes: units().writes - before.writes };
};

/** Most heap in use, in bytes, by a new process that lists a region of so many VMs. */
const peakHeap = async (vms: number): Promise<number> => {
  await using dynamoDb = await startTable();
  await using listing = startModule({
    url: new URL('./polling-memory.ts', import.meta.url),
    args: [dynamoDb.url, String(vms), String(pages)],
    nodeOptions: ['--expose-gc'],
  });
  return z.number().parse(await listing.next());
};
