import type { Figures } from './figures.ts';
import { changedCycle, unchangedCycle } from './polling-cycles.ts';
import { busyDollars, idleDollars } from './polling-dollars.ts';
import { peakHeap } from './polling-memory.ts';

const legacyRegions = ['eu-north-1', 'eu-west-3', 'sa-east-1', 'us-west-1', 'us-west-2'];
/** As many for a small region as for a large one, so that only what is kept from page to page differs. */
const pages = 100;

/** What it takes to list regions: time, calls, capacity, memory and money. The poller but Lambda's runtime, EC2 answering at once. */
export const polling = async (): Promise<Figures> => {
  const small = await unchangedCycle(1_000, 15);
  const middling = await unchangedCycle(10_000, 7);
  const large = await unchangedCycle(100_000, 3);
  const changed = await changedCycle(10_000, 5);
  return {
    poll_ec2_calls_10k: middling.calls,
    poll_read_units_unchanged_10k: middling.reads,
    poll_write_units_unchanged_10k: middling.writes,
    poll_units_changed_10k_read: changed.reads,
    poll_units_changed_10k_write: changed.writes,
    poll_ms_1k: small.ms,
    poll_ms_10k: middling.ms,
    poll_ms_100k: large.ms,
    poll_ms_changed_10k: changed.ms,
    poll_peak_memory_ratio: (await peakHeap(pages * 1_000, pages)) / (await peakHeap(1_000, pages)),
    poll_idle_dollars_per_day: await idleDollars(legacyRegions, 24),
    poll_busy_dollars_per_day: await busyDollars('us-west-2', 30),
  };
};
