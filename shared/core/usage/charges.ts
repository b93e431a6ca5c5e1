import type { Interval } from './intervals.ts';

/** How long a row of a report is at most, by UTC. */
export type Granularity = 'hour' | 'day' | 'month';

/** Seconds since 1970; the end is not part of it. */
export type Period = { readonly from: number; readonly until: number };

/** What was used in a part of an interval, and what AWS bills for it. */
export type Charge = {
  readonly interval: Interval;
  /** The part. Its end is the moment of the report where the interval goes on. */
  readonly from: number;
  readonly until: number;
  readonly usedSeconds: number;
  readonly billedSeconds: number;
};

const minuteSeconds = 60;
const hourSeconds = 3_600;

/** From the second of a period's begin, by UTC. */
const nextBoundary = (second: number, granularity: Granularity): number => {
  if (granularity === 'hour') return (Math.floor(second / hourSeconds) + 1) * hourSeconds;
  const date = new Date(second * 1000);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  return (
    Date.UTC(year, granularity === 'month' ? month + 1 : month, granularity === 'month' ? 1 : day + 1) / 1000
  );
};

/**
 * The charges of a period, cut at UTC's hours, days or months. `nowSeconds`: an interval that goes on is charged until then.
 * The sum over all parts of an interval is what AWS bills for it.
 */
export const chargesOf = (
  intervals: readonly Interval[],
  { from, until }: Period,
  { granularity, nowSeconds }: { readonly granularity: Granularity; readonly nowSeconds: number },
): Charge[] => {
  const charges: Charge[] = [];
  for (const interval of intervals) {
    const end = interval.until ?? Math.max(nowSeconds, interval.from);
    const rounding = roundingOf(interval, end);
    const stop = Math.min(end, until);
    for (let start = Math.max(interval.from, from); start < stop; ) {
      const next = Math.min(nextBoundary(start, granularity), stop);
      const isRounded = rounding.at === 'begin' ? start === interval.from : next === end;
      const usedSeconds = next - start;
      charges.push({
        ...{ interval, from: start, until: next, usedSeconds },
        billedSeconds: usedSeconds + (isRounded ? rounding.seconds : 0),
      });
      start = next;
    }
  }
  return charges;
};

/**
 * The seconds that AWS bills beyond those that were used: up to the first minute after each start, in the first part; of SUSE up to the whole
 * hour, in the last one. Fargate has the same minimum; EKS has none.
 * @see https://repost.aws/knowledge-center/ec2-instance-hour-billing
 * @see https://aws.amazon.com/fargate/pricing/
 */
const roundingOf = (
  { serviceType, platform = '', from, startedAt }: Interval,
  end: number,
): { readonly at: 'begin' | 'end'; readonly seconds: number } => {
  const seconds = end - startedAt;
  if (serviceType === 'cluster') return { at: 'end', seconds: 0 };
  if (serviceType === 'vm' && isBilledByTheHour(platform))
    return { at: 'end', seconds: Math.ceil(seconds / hourSeconds) * hourSeconds - seconds };
  return { at: 'begin', seconds: from === startedAt ? Math.max(0, minuteSeconds - seconds) : 0 };
};

/** @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/billing-info-fields.html the platforms, as `PlatformDetails` has them */
const isBilledByTheHour = (platform: string): boolean => platform.startsWith('SUSE');

/** How the begin and the end of an interval are known, as `listing`, or as `events/request` where they differ. */
export const evidenceOf = ({ until, beginSeenBy, endSeenBy }: Interval): string => {
  const begin = beginSeenBy ?? 'events';
  return until === undefined || beginSeenBy === endSeenBy ? begin : `${begin}/${endSeenBy ?? 'events'}`;
};

/** What Fargate bills of a task: each second of its vCPUs and of its gigabytes. Undefined where the size is not known. */
export const fargateSecondsOf = ({
  interval: { size = '' },
  billedSeconds,
}: Charge): { readonly vcpuSeconds: number; readonly gbSeconds: number } | undefined => {
  const [, units, mib] = /^(\d+)\/(\d+)$/.exec(size) ?? [];
  if (units === undefined || mib === undefined) return undefined;
  return {
    vcpuSeconds: (Number(units) / 1024) * billedSeconds,
    gbSeconds: (Number(mib) / 1024) * billedSeconds,
  };
};
