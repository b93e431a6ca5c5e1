import { action } from '../action.ts';
import { Ec2Error } from '../ec2-error.ts';
import { type Launch, type SimulatedInstance, seenAt } from '../instance.ts';
import { reservationXml } from '../instance-xml.ts';
import type { Region } from '../region.ts';
import { checkLaunch, instanceTags, LaunchRequest, launchOf } from './launch-request.ts';

/**
 * Takes any well-formed image id and instance type; there is always capacity for MaxCount.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
 */
export const runInstances = action(LaunchRequest, (request, region) => {
  checkLaunch(request, region);
  const launch = launchOf(request, region);
  const tags = instanceTags(request);
  const repeated = launchedBy(launch, region);
  return () => {
    const instances =
      repeated ??
      Array.from({ length: request.MaxCount }, (_, launchIndex) =>
        region.launch(launch, { launchIndex, tags, disableApiTermination: request.DisableApiTermination }),
      );
    const noLag = { staleReadMs: 0, tagLagMs: 0 };
    const seen = instances.map((instance) => seenAt(region.account.clock(), noLag, instance));
    return reservationXml(seen, region.account.id);
  };
});

/** The instances that this very call launched before, by its client token. */
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
  return before.length > 0 ? before : undefined;
};
