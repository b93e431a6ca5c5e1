import { action } from '../action.ts';
import { Ec2Error } from '../ec2-error.ts';
import { type Launch, type SimulatedInstance, seenAt } from '../instance.ts';
import { reservationXml } from '../instance-xml.ts';
import type { Region } from '../region.ts';
import { checkLaunch } from './check-launch.ts';
import { launchOf, takeCapacity } from './launch.ts';
import { instanceTags, LaunchRequest } from './launch-request.ts';

/**
 * There is capacity for MaxCount, unless a fault says otherwise.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
 */
export const runInstances = action(LaunchRequest, (request, region) => {
  const named = checkLaunch(request, region);
  const launch = launchOf(request, named, region);
  const tags = instanceTags(request);
  const repeated = launchedBy(launch, region);
  return () => {
    const own = { tags, disableApiTermination: request.DisableApiTermination };
    if (!repeated) takeCapacity(launch, request.MaxCount, region);
    const instances =
      repeated ??
      Array.from({ length: request.MaxCount }, (_, launchIndex) =>
        region.launch(launch, { launchIndex, ...own }),
      );
    const noLag = { staleReadMs: 0, tagLagMs: 0 };
    const seen = instances.map((instance) => seenAt(region.account.clock(), noLag, instance));
    return reservationXml(seen, region.account.id);
  };
});

/**
 * The instances that this very call launched before, by its client token.
 * @see https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
 */
const launchedBy = (
  { clientToken, request }: Launch,
  region: Region,
): readonly SimulatedInstance[] | undefined => {
  if (clientToken === undefined) return undefined;
  const before = [...region.all()].filter(({ launch }) => launch.clientToken === clientToken);
  if (before.some(({ launch }) => launch.request !== request)) {
    throw new Ec2Error(
      'IdempotentParameterMismatch',
      'Arguments on this idempotent request are inconsistent with arguments used in previous request(s).',
    );
  }
  if (before.length > 0 && before.every(({ status }) => status.value.state === 'terminated')) {
    throw new Ec2Error(
      'IdempotentInstanceTerminated',
      'The client token was used by a request whose instance has been terminated.',
    );
  }
  return before.length > 0 ? before : undefined;
};
