import { reasonOf, UnreadableError } from '../../shared/domain/errors.ts';
import type { PolledRegion } from './env.ts';
import { planPolls } from './plan-polls.ts';
import { type PollParts, pollRegion } from './poll-region.ts';
import { reportRegions } from './report-regions.ts';
import { type Answer, PollerRequest } from './request.ts';

type Parts = PollParts & { readonly regions: readonly PolledRegion[] };

/**
 * Answers the state machine: what is due, and when; or lists a page of a region. Answers people: how the regions stand. And notes what
 * they want of a region, for its next listing to do.
 * @throws UnreadableError for anything else, and for a region that is not polled.
 */
export const poller = (parts: Parts) => {
  const { listings, log, now } = parts;
  const plan = planPolls(parts);
  const poll = pollRegion(parts);
  const report = reportRegions(parts);
  const polledRegion = (region: string): PolledRegion => {
    const polled = parts.regions.find((one) => one.region === region);
    if (!polled) throw new UnreadableError(`${region} is none of the regions that are polled`);
    return polled;
  };

  const republish = async (region: string) => {
    await listings.wantRepublish(region, Math.floor(now() / 1000));
    return { wanted: true } as const;
  };

  const release = async (region: string) => {
    const released = await listings.release(region);
    if (released) log.warn('an operator released the breaker of a region', { region });
    return { released };
  };

  return async (request: unknown): Promise<Answer | undefined> => {
    const parsed = PollerRequest.safeParse(request);
    if (!parsed.success) throw new UnreadableError(`not a request to the poller: ${reasonOf(parsed.error)}`);
    if (parsed.data.do === 'plan') return plan(parsed.data.execution);
    if (parsed.data.do === 'regions') return report();
    const polled = polledRegion(parsed.data.region);
    if (parsed.data.do === 'republish') return republish(polled.region);
    if (parsed.data.do === 'release') return release(polled.region);
    await poll(polled);
    return undefined;
  };
};
