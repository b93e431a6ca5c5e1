import { UnreadableError } from '../core/errors.ts';
import { type Kind, kindOf } from '../core/kind.ts';
import { observationsOf, type ResourceMessage } from '../core/message.ts';
import { billedFactsOf } from '../core/outputs.ts';
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
} from '../wire/own-messages.ts';
import { type EventKind, eventKind } from './event-kind.ts';
import { kinds } from './kinds.ts';

/** The resource that a message of our own is about. The field has had this name since there were only EC2 instances. */
const resourceIn = (detail: { readonly 'instance-id': string }): { kind: Kind; resourceId: string } => {
  const resourceId = detail['instance-id'];
  return { kind: kindOf(kinds, resourceId), resourceId };
};

const known = (word: string, words: readonly string[], what: string): string => {
  if (words.includes(word)) return word;
  throw new UnreadableError(`"${word}" is no ${what}; expected one of ${words.join(', ')}`);
};

const stateIn = (kind: Kind, state: string): string =>
  known(state, kind.states, `state of ${kind.collection}`);

/** dcm.ec2-sp "EC2 Instance Observed": a state in a listing that the resource store does not hold, or in the service's answer to the API. */
const observed = eventKind({
  ...instanceObserved,
  schema: InstanceObservedDetail,
  toMessages: (detail, from): ResourceMessage[] => {
    const { state, 'state-reason': reason, 'request-id': requestId, tags, clientToken } = detail;
    const { publicAddress, privateAddress, isWindows, apiEndpoint, 'state-times': stateTimes = [] } = detail;
    const addresses = { publicAddress, privateAddress, isWindows, apiEndpoint, ...billedFactsOf(detail) };
    const { kind, resourceId } = resourceIn(detail);
    const about = { ...from, resourceId };
    const seenBy = requestId === undefined ? 'listing' : 'api';
    return [
      ...(tags ? [{ kind: 'tag-change' as const, ...about, tags, clientToken }] : []),
      ...observationsOf(
        {
          kind: 'observation',
          ...about,
          state: stateIn(kind, state),
          reason,
          requestId,
          ...addresses,
          seenBy,
        },
        stateTimes.map((one) => ({ state: stateIn(kind, one.state), at: one.at })),
      ),
    ];
  },
});

/** dcm.ec2-sp "EC2 Instance Noticed": a notice of the poller. */
const noticed = eventKind({
  ...instanceNoticed,
  schema: InstanceNoticedDetail,
  toMessages: ({ notice: sort, text, ...detail }, from) => {
    const { kind, resourceId } = resourceIn(detail);
    const notice = known(sort, Object.keys(kind.notices), `notice about ${kind.collection}`);
    return [{ kind: 'notice', ...from, resourceId, notice, text }];
  },
});

/** dcm.ec2-sp "VM Status Wanted": a request to republish the current status, as of the second of the request. */
const republicationWanted = eventKind({
  ...republicationRequested,
  schema: RepublicationRequestedDetail,
  toMessages: (detail, from) => [
    { kind: 'status-wanted', ...from, resourceId: resourceIn(detail).resourceId },
  ],
});

/** dcm.ec2-sp "VM Status Settled": statuses that the debounce held back may be published. */
const settled = eventKind({
  ...statusSettled,
  schema: StatusSettledDetail,
  toMessages: ({ key, ...detail }, from) => [
    { kind: 'status-settled', ...from, resourceId: resourceIn(detail).resourceId, key },
  ],
});

/** dcm.ec2-sp "EC2 Instance Check Wanted": a request to check with the service whether a transition is over. */
const checkWanted = eventKind({
  ...checkRequested,
  schema: CheckRequestedDetail,
  toMessages: ({ key, turn: attempt, ...detail }, from) => [
    { kind: 'check-wanted', ...from, resourceId: resourceIn(detail).resourceId, key, attempt },
  ],
});

/** dcm.ec2-sp "EC2 Instance Claim Check": a request to read the state of a claimed resource from its service. */
const claimed = eventKind({
  ...claimCheck,
  schema: ClaimCheckDetail,
  toMessages: (detail, from) => [{ kind: 'claim-check', ...from, resourceId: resourceIn(detail).resourceId }],
});

/** The messages that our functions put into the queue, about resources of every kind; no EventBridge rule matches them. */
export const ownKinds: readonly EventKind[] = [
  observed,
  noticed,
  republicationWanted,
  settled,
  checkWanted,
  claimed,
];
