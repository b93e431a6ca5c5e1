import { changes } from './polling-changes.ts';
import { fillResourceStore, rememberListings } from './polling-past.ts';
import { dollars } from './polling-prices.ts';
import { polledRegions } from './polling-regions.ts';
import { startResourceTable } from './polling-table.ts';
import { type Played, playTurns } from './polling-turns.ts';

const vms = 1_000;
const secondsPerDay = 86_400;
/** infra/constructs/polling.ts */
const watchdogSeconds = 300;
const quietMs = 300_000;

/** List-price dollars a day of these regions together, 1,000 VMs each, in which nothing changes. */
export const idleDollars = async (regions: readonly string[], turns: number): Promise<number> => {
  await using dynamoDb = await startResourceTable();
  using polled = polledRegions({ dynamoDbUrl: dynamoDb.url, regions, vms });
  polled.skip(quietMs - (polled.now() % quietMs)); // quiet regions come due on a common grid
  await rememberListings(polled, { dueInSeconds: quietMs / 1000 });
  await fillResourceStore(polled); // what looks unchanged is compared with it once an hour
  return dollarsPerDay(await playTurns(polled, { turns, meanwhile: async () => {} }));
};

/** List-price dollars a day of one region of 1,000 VMs, of which one in a hundred changes from each listing to the next. */
export const busyDollars = async (region: string, turns: number): Promise<number> => {
  await using dynamoDb = await startResourceTable();
  using polled = polledRegions({ dynamoDbUrl: dynamoDb.url, regions: [region], vms });
  await rememberListings(polled, { dueInSeconds: 10 });
  await fillResourceStore(polled);
  return dollarsPerDay(await playTurns(polled, { turns, meanwhile: changes(polled, region, vms) }));
};

const dollarsPerDay = ({ seconds, turns, watchdog }: Played): number =>
  (dollars(turns) * secondsPerDay) / seconds + (dollars(watchdog) * secondsPerDay) / watchdogSeconds;
