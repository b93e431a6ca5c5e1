import type { ResourceMessage } from '../../../core/message.ts';
import {
  CheckRequestedDetail,
  ClaimCheckDetail,
  checkRequested,
  claimCheck,
  InstanceNoticedDetail,
  InstanceObservedDetail,
  instanceNoticed,
  instanceObserved,
  RepublicationRequestedDetail,
  republicationRequested,
  StatusSettledDetail,
  statusSettled,
} from '../../../wire/own-messages.ts';
import { InstanceId, InstanceState, NoticeKind } from '../kind.ts';
import { eventKind } from './event-kind.ts';

/** dcm.ec2-sp "EC2 Instance Observed": a state in a listing that the resource store does not hold, or in EC2's answer to the API. */
export const observedInListing = eventKind({
  ...instanceObserved,
  schema: InstanceObservedDetail,
  toMessages: (detail, from): ResourceMessage[] => {
    const { state, 'state-reason': reason, 'request-id': requestId, tags, clientToken } = detail;
    const { publicAddress, privateAddress, isWindows } = detail;
    const addresses = { publicAddress, privateAddress, isWindows };
    const about = { ...from, resourceId: InstanceId.parse(detail['instance-id']) };
    const seenBy = requestId === undefined ? 'listing' : 'api';
    return [
      ...(tags ? [{ kind: 'tag-change' as const, ...about, tags, clientToken }] : []),
      {
        kind: 'observation',
        ...about,
        state: InstanceState.parse(state),
        reason,
        requestId,
        ...addresses,
        seenBy,
      },
    ];
  },
});

/** dcm.ec2-sp "EC2 Instance Noticed": a notice of the poller about an instance. */
export const noticedInListing = eventKind({
  ...instanceNoticed,
  schema: InstanceNoticedDetail,
  toMessages: ({ 'instance-id': resourceId, notice, text }, from) => [
    {
      kind: 'notice',
      ...from,
      resourceId: InstanceId.parse(resourceId),
      notice: NoticeKind.parse(notice),
      text,
    },
  ],
});

/** dcm.ec2-sp "VM Status Wanted": a request to republish the VM's current status, as of the second of the request. */
export const wantedStatus = eventKind({
  ...republicationRequested,
  schema: RepublicationRequestedDetail,
  toMessages: ({ 'instance-id': resourceId }, from) => [
    { kind: 'status-wanted', ...from, resourceId: InstanceId.parse(resourceId) },
  ],
});

/** dcm.ec2-sp "VM Status Settled": statuses of a VM that the debounce held back may be published. */
export const settledStatus = eventKind({
  ...statusSettled,
  schema: StatusSettledDetail,
  toMessages: ({ 'instance-id': resourceId, key }, from) => [
    { kind: 'status-settled', ...from, resourceId: InstanceId.parse(resourceId), key },
  ],
});

/** dcm.ec2-sp "EC2 Instance Check Wanted": a request to check with EC2 whether a transition is over. */
export const wantedCheck = eventKind({
  ...checkRequested,
  schema: CheckRequestedDetail,
  toMessages: ({ 'instance-id': resourceId, key, turn: attempt }, from) => [
    { kind: 'check-wanted', ...from, resourceId: InstanceId.parse(resourceId), key, attempt },
  ],
});

/** dcm.ec2-sp "EC2 Instance Claim Check": a request to read the state of a claimed instance from EC2. */
export const claimedInstance = eventKind({
  ...claimCheck,
  schema: ClaimCheckDetail,
  toMessages: ({ 'instance-id': resourceId }, from) => [
    { kind: 'claim-check', ...from, resourceId: InstanceId.parse(resourceId) },
  ],
});
