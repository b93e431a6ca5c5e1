import { InstanceId } from '../../../shared/domain/instance.ts';
import type { Signal } from '../../../shared/domain/signal.ts';
import { InstanceObservedDetail, instanceObserved } from '../../../shared/wire/instance-observed.ts';
import { eventKind } from './kind.ts';

/** dcm.ec2-sp "EC2 Instance Observed": what the poller saw in a listing and the fleet does not hold, or what EC2 answered the API. */
export const observedInListing = eventKind({
  ...instanceObserved,
  schema: InstanceObservedDetail,
  toSignals: (detail, from): Signal[] => {
    const { state, 'state-reason': reason, 'request-id': requestId, tags, clientToken } = detail;
    const { publicAddress, privateAddress, isWindows } = detail;
    const addresses = { publicAddress, privateAddress, isWindows };
    const about = { ...from, instanceId: InstanceId.parse(detail['instance-id']) };
    const seenBy = requestId === undefined ? 'listing' : 'api';
    return [
      ...(tags ? [{ kind: 'tag-change' as const, ...about, tags, clientToken }] : []),
      { kind: 'observation', ...about, state, reason, requestId, ...addresses, seenBy },
    ];
  },
});
