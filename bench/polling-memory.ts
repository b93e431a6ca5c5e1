/**
 * A process of its own that lists a region of so many VMs, none of which is in the table, until it has looked at so many pages, and sends its
 * parent the most heap that it had in use, in bytes: what is left after a garbage collection while the differences of a page are queued.
 * Arguments: URL of DynamoDB, VMs, pages.
 */
import { polledRegions, storeListings } from './polling-regions.ts';

const region = 'us-west-2';
const longerThanAnyIntervalMs = 660_000;

const [dynamoDbUrl = '', vms, pages] = process.argv.slice(2);
const { gc } = globalThis;
if (!gc) throw new Error('The process needs --expose-gc.');
let peak = 0;
const sample = () => {
  gc();
  const { heapUsed, external } = process.memoryUsage();
  peak = Math.max(peak, heapUsed + external);
};

const polled = polledRegions({ dynamoDbUrl, regions: [region], vms: Number(vms), onQueued: sample });
await storeListings(polled, { wereStored: false });
for (let page = 0; page < Number(pages); page++) {
  await polled.handle({ do: 'poll', region });
  polled.queued.length = 0;
  if (polled.ec2.isAtEnd()) polled.skip(longerThanAnyIntervalMs);
}
if (peak === 0) throw new Error('Nothing was queued.');
polled[Symbol.dispose]();
process.send?.(peak);
process.disconnect();
