import type { Tags } from '../../../shared/core/ownership.ts';
import { checkLaunch } from './actions/check-launch.ts';
import { launchOf } from './actions/launch.ts';
import { LaunchRequest } from './actions/launch-request.ts';
import { newId } from './instance.ts';
import type { Region } from './region.ts';

/** Many instances at once, each as if launched by a call of its own. */
export type Population = {
  readonly region: string;
  readonly count: number;
  /** The tags of each, counted from 0. */
  readonly tags: (index: number) => Tags;
};

/** Their ids, oldest first. */
export const populate = ({ count, tags }: Population, region: Region): readonly string[] => {
  const request = LaunchRequest.parse({ ImageId: 'ami-0a10000000000a011', MinCount: '1', MaxCount: '1' });
  const launch = launchOf(request, checkLaunch(request, region), region);
  const one = (index: number) => region.adopt({ ...launch, reservationId: newId('r') }, tags(index));
  return Array.from({ length: count }, (_, index) => one(index).id);
};
