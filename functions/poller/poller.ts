import { reasonOf, UnreadableError } from '../../shared/domain/errors.ts';
import type { PolledRegion } from './env.ts';
import { planPolls } from './plan-polls.ts';
import { type PollParts, pollRegion } from './poll-region.ts';
import { republish } from './republish.ts';
import { type Plan, PollerRequest, type Republished } from './request.ts';

type Parts = PollParts & { readonly regions: readonly PolledRegion[] };

/**
 * Answers the state machine: what is due, and when; lists a page of a region; or has a region's statuses told again.
 * @throws UnreadableError for anything else, and for a region that is not polled.
 */
export const poller = (parts: Parts) => {
  const plan = planPolls(parts);
  const poll = pollRegion(parts);
  const tellAgain = republish(parts);
  const polledRegion = (region: string): PolledRegion => {
    const polled = parts.regions.find((one) => one.region === region);
    if (!polled) throw new UnreadableError(`${region} is none of the regions that are polled`);
    return polled;
  };

  return async (request: unknown): Promise<Plan | Republished | undefined> => {
    const parsed = PollerRequest.safeParse(request);
    if (!parsed.success) throw new UnreadableError(`not a request to the poller: ${reasonOf(parsed.error)}`);
    if (parsed.data.do === 'plan') return plan(parsed.data.execution);
    const polled = polledRegion(parsed.data.region);
    if (parsed.data.do === 'republish') return tellAgain(parsed.data);
    await poll(polled);
    return undefined;
  };
};
