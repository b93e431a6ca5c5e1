import { InstanceId } from '../../../shared/domain/instance.ts';
import type { Signal } from '../../../shared/domain/signal.ts';
import { InstanceObservedDetail, instanceObserved } from '../../../shared/wire/instance-observed.ts';
import { eventKind } from './kind.ts';

/** dcm.ec2-sp "EC2 Instance Observed": what the poller saw in a listing, and that the fleet does not hold. */
export const observedInListing = eventKind({
  ...instanceObserved,
  schema: InstanceObservedDetail,
  toSignals: ({ 'instance-id': id, state, 'state-reason': reason, publicAddress, tags }, from): Signal[] => {
    const instanceId = InstanceId.parse(id);
    return [
      ...(tags ? [{ kind: 'tag-change' as const, ...from, instanceId, tags }] : []),
      { kind: 'observation', ...from, instanceId, state, reason, publicAddress, seenBy: 'listing' },
    ];
  },
});
