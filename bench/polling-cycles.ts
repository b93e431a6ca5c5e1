import { changes } from './polling-changes.ts';
import { fillResourceStore, rememberListings } from './polling-past.ts';
import { type PolledRegions, polledRegions } from './polling-regions.ts';
import { startResourceTable } from './polling-table.ts';
import { median } from './statistics.ts';

const region = 'us-west-2';
const longerThanAnyIntervalMs = 660_000;

/** What it takes to list a region once, from its first page to its last. */
export type Cycle = {
  readonly ms: number;
  readonly calls: number;
  readonly reads: number;
  readonly writes: number;
};

/** A region in which nothing changes; medians of so many cycles. */
export const unchangedCycle = async (vms: number, times: number): Promise<Cycle> => {
  await using dynamoDb = await startResourceTable();
  using polled = polledRegions({ dynamoDbUrl: dynamoDb.url, regions: [region], vms });
  await rememberListings(polled);
  await fillResourceStore(polled); // what looks unchanged is compared with it once an hour

  const cycle = await medianCycle(polled, times);
  if (polled.queued.length > 0) throw new Error('The poller found a change where there was none.');
  return cycle;
};

/** A region in which one VM in a hundred has changed each time, and the fleet holds the others as they are; medians of so many cycles. */
export const changedCycle = async (vms: number, times: number): Promise<Cycle> => {
  await using dynamoDb = await startResourceTable();
  using polled = polledRegions({ dynamoDbUrl: dynamoDb.url, regions: [region], vms });
  await rememberListings(polled);
  await fillResourceStore(polled);
  return await medianCycle(polled, times, changes(polled, region, vms)); // DynamoDB must not go before
};

/** The first one, which warms up, does not count. */
const medianCycle = async (
  polled: PolledRegions,
  times: number,
  between: () => Promise<void> = async () => {},
): Promise<Cycle> => {
  const cycles: Cycle[] = [];
  for (let time = 0; time <= times; time++) {
    await between();
    cycles.push(await listOnce(polled));
    polled.skip(longerThanAnyIntervalMs);
  }
  const measured = cycles.slice(1);
  return {
    ms: median(measured.map(({ ms }) => ms)),
    calls: median(measured.map(({ calls }) => calls)),
    reads: median(measured.map(({ reads }) => reads)),
    writes: median(measured.map(({ writes }) => writes)),
  };
};

const listOnce = async ({ handle, ec2, units }: PolledRegions): Promise<Cycle> => {
  const [before, callsBefore, startedAt] = [units(), ec2.calls(), performance.now()];
  do await handle({ do: 'poll', region });
  while (!ec2.isAtEnd());
  const ms = performance.now() - startedAt;
  const calls = ec2.calls() - callsBefore;
  if (calls === 0) throw new Error('The poller did not list a region that was due.');
  return { ms, calls, reads: units().reads - before.reads, writes: units().writes - before.writes };
};
