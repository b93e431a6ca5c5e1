import { stuckLaunch } from './follow-up.ts';
import {
  isNewerObservation,
  isStateKey,
  keyBeside,
  partsOf,
  type Sequence,
  secondOfKey,
  sequenceOf,
  stateOfKey,
  wordOfKey,
} from './gate.ts';
import type { PastStatus } from './history.ts';
import {
  type Circumstances,
  finalState,
  isEnding,
  type Kind,
  type NoticeRule,
  type StateReason,
  serviceNameOf,
} from './kind.ts';
import type { Notice, Observation, RepublicationRequest } from './message.ts';
import type { Addresses } from './outputs.ts';

/** A status that is not published yet, or not known to be. */
export type UnpublishedStatus = {
  /** Orders the statuses of one resource, as a string too; also the CloudEvent's `sequence`. */
  readonly key: string;
  /**
   * CloudEvent id and `Nats-Msg-Id`: drawn once for this status, the same at every attempt to publish it, and not guessable, because
   * JetStream drops a message with the id of another message of the stream, on any subject.
   */
  readonly id: string;
  /** Seconds since 1970 on the service's clock. */
  readonly at: number;
  readonly status: string;
  readonly message: string;
  /** The request to our API that caused the change; undefined where none did. */
  readonly requestId?: string | undefined;
  /** Undefined: an event of the service had the state and its second. */
  readonly seenBy?: Exclude<Observation['seenBy'], 'event'> | undefined;
  /** The key of the state before this one by the service's event, where that state was published as a listing or an answer showed it. */
  readonly keyBefore?: string | undefined;
  /** The time of the republication request, in seconds since 1970 on our clock; undefined for the first publication. */
  readonly republishedAt?: number | undefined;
};

/** A status that JetStream has acknowledged, and the status bus has not taken, with the DCM id that it was published under. */
export type UnforwardedStatus = UnpublishedStatus & { readonly dcmId: string };

/** By sort, with the second of the service's clock and the text, which is at most 1 KiB. */
export type Notices = Readonly<Record<string, Pick<Notice, 'at' | 'text'> | undefined>>;

/** One resource of ours, as the resource store holds it. */
export type Resource = Addresses & {
  readonly kind: Kind;
  readonly resourceId: string;
  readonly dcmId: string;
  readonly region: string;
  readonly account: string;
  /** 0 before the first observation. */
  readonly sequence: Sequence;
  readonly state?: string | undefined;
  /** The sequence of the held state by the service's event, where it was held before as a listing or an answer showed it. */
  readonly eventSequence?: Sequence | undefined;
  /** The newest notice of each sort, kept until the resource runs again. Absent: none. */
  readonly notices?: Notices | undefined;
  readonly deleteRequested?: boolean | undefined;
  /** The status that was put into the outbox last: DCM has it, or will get it. */
  readonly latest?: UnpublishedStatus | undefined;
  /** The second of the newest republication request that was answered. */
  readonly repeatedAt?: number | undefined;
  /** Ascending. */
  readonly outbox: readonly UnpublishedStatus[];
  /** Ascending. Absent: none. */
  readonly unforwarded?: readonly UnforwardedStatus[] | undefined;
  /** Ascending: the ten newest statuses without repeats, and more while there are unpublished ones (core/history.ts). */
  readonly history: readonly PastStatus[];
};

type DescribedIn = Circumstances & { readonly noticeText?: string | undefined };

/** An observation as a status of DCM, without an id, as the API answers it. */
export const describedStatus = (
  kind: Kind,
  observation: Observation,
  circumstances: DescribedIn = {},
): Omit<UnpublishedStatus, 'id'> => {
  const reason = observation.reason ?? circumstances.reason;
  const sequence = sequenceOf(kind, observation);
  return {
    key: String(sequence),
    at: observation.at,
    status: kind.statusOf(observation.state, { ...circumstances, reason }),
    message: describeState(kind, observation, { ...circumstances, reason }),
    ...(observation.requestId !== undefined && { requestId: observation.requestId }),
    ...(observation.seenBy !== 'event' && { seenBy: observation.seenBy }),
  };
};

/** An observation as a status of DCM. `randomPart` (ports/clock.ts) is drawn for this status alone. */
export const statusOf = (
  kind: Kind,
  observation: Observation,
  randomPart: string,
  circumstances?: Parameters<typeof describedStatus>[2],
): UnpublishedStatus => ({
  ...describedStatus(kind, observation, circumstances),
  id: statusId(observation, randomPart, partsOf(sequenceOf(kind, observation)).rank),
});

/** What the next state's status says of the held state's time. */
export const correctionOf = ({
  kind,
  state,
  eventSequence,
}: Pick<Resource, 'kind' | 'state' | 'eventSequence'>): Pick<UnpublishedStatus, 'keyBefore'> => {
  const key = eventSequence === undefined ? '' : String(eventSequence);
  return key !== '' && stateOfKey(kind, key) === state ? { keyBefore: key } : {};
};

/**
 * An observation as it is recorded: in the state that the kind holds it as, and an end never older than what is held, where the service
 * gives each state its time. Undefined where it says nothing new.
 */
export const recordedAs = (vm: Resource, observation: Observation): Observation | undefined => {
  const { kind } = vm;
  const state = kind.recordedState
    ? kind.recordedState(observation.state, circumstancesOf(vm, observation))
    : observation.state;
  if (state === undefined) return undefined;
  const isLate = kind.timedBy === 'service' && state === finalState(kind);
  const at = isLate ? Math.max(observation.at, partsOf(vm.sequence).at) : observation.at;
  return { ...observation, state, at };
};

/** Whether an observation, as it is recorded, is newer than what is held. */
export const isNews = (vm: Resource, observation: Observation): boolean => {
  const recorded = recordedAs(vm, observation);
  return recorded !== undefined && isNewerObservation(vm.kind, vm, recorded);
};

/** The settings that decide how states are reported. */
export type Reporting = Pick<Circumstances, 'spotEndsAs' | 'startingAs' | 'clusterWords'>;

/** The held facts that, besides the service's reason, decide how an observation is reported. */
export const circumstancesOf = (vm: Resource, observation: Pick<Observation, 'state' | 'at'>) => {
  const { kind, state, history, deleteRequested } = vm;
  const warnings = noticesBehind(vm, observation);
  const past = history.map(({ key }) => stateOfKey(kind, key));
  return {
    notice: warnings.find(({ notice }) => kind.notices[notice]?.decidesEnd)?.notice,
    noticeText: warnings.map(({ text }) => text).join('; '),
    deleteRequested,
    hasRun: [...past, ...(state === undefined ? [] : [state])].some((one) =>
      kind.statesAfterRunning.has(one),
    ),
  };
};

/** The notices that may explain a state: none for the running state, no stuck launch, and none that is too old. */
const noticesBehind = (vm: Resource, { state, at }: Pick<Observation, 'state' | 'at'>) =>
  currentNotices(vm).filter(
    ({ notice, at: noticedAt }) =>
      state !== vm.kind.runningState &&
      notice !== stuckLaunch &&
      at - noticedAt <= (vm.kind.notices[notice]?.explainsForSeconds ?? Number.POSITIVE_INFINITY),
  );

/**
 * A notice as a status: the held status with this warning first and every other current one after it, because DCM keeps only the last
 * message. It sorts after the held status and before the next one.
 */
export const noticeStatus = (
  vm: Resource & { readonly state: string },
  notice: Notice,
  randomPart: string,
  reporting: Reporting = {},
): UnpublishedStatus => ({
  key: keyAfterLatest(vm, notice.at, notice.notice),
  id: statusId(notice, randomPart, notice.notice),
  at: notice.at,
  status: vm.kind.statusOf(vm.state, {
    ...reporting,
    notice: isHeldStuck(vm) ? stuckLaunch : notice.notice,
    deleteRequested: vm.deleteRequested,
  }),
  message: messageText(
    `${plainMessage(vm.kind, vm.resourceId, vm.state)}${withText(warningText(vm, notice))}`,
  ),
});

const withText = (text: string): string => text && `: ${text}`;

/** This notice comes first, so that a shortened message still has it. */
const warningText = (vm: Resource, { notice, at, text }: Notice): string => {
  const others = currentNotices({ ...vm, notices: { ...vm.notices, [notice]: { at, text } } });
  return [text, ...others.flatMap((other) => (other.notice === notice ? [] : [other.text]))]
    .filter(Boolean)
    .join('; ');
};

/** The current notices of a resource, in the order of the kind's sorts: none that has ended, and no stuck launch once it has started. */
const currentNotices = (vm: Resource): Pick<Notice, 'notice' | 'at' | 'text'>[] =>
  Object.keys(vm.kind.notices).flatMap((notice) => {
    const held = vm.notices?.[notice];
    const isWarning =
      isHeld(vm, notice) && !isEnd(vm.kind, notice) && (notice !== stuckLaunch || isHeldStuck(vm));
    return held && isWarning ? [{ notice, ...held }] : [];
  });

/** Whether a notice ends another one. */
const isEnd = ({ notices }: Kind, notice: string): boolean => endedBy(notices, notice).length > 0;

const endedBy = (notices: Kind['notices'], end: string): string[] =>
  Object.entries(notices).flatMap(([notice, rule]) => (rule.endedBy === end ? [notice] : []));

/** Whether there was a notice of this sort, and none since that ended it. */
const isHeld = ({ kind, notices }: Pick<Resource, 'kind' | 'notices'>, notice: string): boolean => {
  const held = notices?.[notice];
  const end = kind.notices[notice]?.endedBy;
  return held !== undefined && (end === undefined || held.at > (notices?.[end]?.at ?? 0));
};

/** A stuck launch is still stuck when other notices follow. */
const isHeldStuck = ({ notices, sequence }: Resource): boolean => {
  const stuck = notices?.[stuckLaunch];
  return stuck !== undefined && stuck.at >= partsOf(sequence).at;
};

export const holdsNotice = isHeld;

/** A notice as the resource store keeps it. The service does not bound its text. */
export const keptNotice = ({ at, text }: Pick<Notice, 'at' | 'text'>) => ({ at, text: messageText(text) });

const again = 'again';

/**
 * The last status, to be published once more with its own time and request, because it is about the same change. It sorts after the last
 * status and before the next one.
 */
export const republishedStatus = (
  vm: Resource & { readonly latest: UnpublishedStatus },
  { at }: Pick<RepublicationRequest, 'at'>,
  randomPart: string,
): UnpublishedStatus => republished(vm, { at, word: again }, randomPart);

/** The last status, to be published once more because the resource's addresses have changed since. */
export const readdressedStatus = (
  vm: Resource & { readonly latest: UnpublishedStatus },
  at: number,
  randomPart: string,
): UnpublishedStatus => republished(vm, { at, word: 'address' }, randomPart);

const republished = (
  vm: Resource & { readonly latest: UnpublishedStatus },
  { at, word }: { readonly at: number; readonly word: string },
  randomPart: string,
): UnpublishedStatus => ({
  ...vm.latest,
  key: keyAfterLatest(vm, at, word),
  id: statusId({ resourceId: vm.resourceId, at }, randomPart, word),
  at: originalTime(vm.latest),
  republishedAt: at,
});

/**
 * Whether the last status does not say why the resource is in its state, where the kind's reasons change. Of an end under way, whether no
 * status of it does: where EKS fails to delete a node group, each attempt shows DELETING and DELETE_FAILED again.
 */
export const hasNewReason = (
  { kind, state, latest, history }: Pick<Resource, 'kind' | 'state' | 'latest' | 'history'>,
  { reason }: { readonly reason?: StateReason | undefined },
): boolean => {
  if (kind.reasonsChange !== true || reason?.message === undefined || latest === undefined) return false;
  const { message } = reason;
  const past = isEndingNow({ kind, state })
    ? history.filter(({ key }) => stateOfKey(kind, key) === state)
    : [];
  return ![latest, ...past].some((status) => status.message.includes(message));
};

const isEndingNow = ({ kind, state }: Pick<Resource, 'kind' | 'state'>): boolean =>
  state !== undefined && isEnding(kind, state);

const reasonWord = 'reason';

/** Whether a status that is not about a new state joins the history: another reason of an end under way, so that it is not published again. */
export const joinsHistory = (
  vm: Pick<Resource, 'kind' | 'state'>,
  { key }: Pick<UnpublishedStatus, 'key'>,
): boolean => wordOfKey(key) === reasonWord && isEndingNow(vm);

/** A reason with why a change failed. That comes last, so that listings find the reason itself in a message that had to be shortened. */
export const withFailure = (reason: StateReason | undefined, failure: string): StateReason => ({
  ...reason,
  message: [reason?.message ?? reason?.code, failure].filter(Boolean).join('; '),
});

/** The last status with another reason, and the current notices: the resource is still in the same state. */
export const explainedStatus = (
  vm: Resource & { readonly latest: UnpublishedStatus },
  observation: Observation,
  randomPart: string,
): UnpublishedStatus => {
  const noticeText = currentNotices(vm)
    .map(({ text }) => text)
    .join('; ');
  return {
    key: keyAfterLatest(vm, observation.at, reasonWord),
    id: statusId(observation, randomPart, reasonWord),
    at: observation.at,
    status: vm.latest.status,
    message: describeState(vm.kind, observation, { reason: observation.reason, noticeText }),
  };
};

const moved = 'moved';

/**
 * The last status under a DCM id that the resource no longer carries from `at` on: DELETED. Every attempt with the same `vm` makes the
 * same status: no outbox holds it, so its id takes the random part of the last status, or `randomPart` where that has none.
 */
export const movedAwayStatus = (
  vm: Resource,
  { at, dcmId: newVmId }: { readonly at: number; readonly dcmId: string | undefined },
  randomPart: string,
): UnpublishedStatus => {
  const key = keyAfterLatest(vm, at, moved);
  const drawn = /:([\w-]{16}):[^:]+$/.exec(vm.latest?.id ?? '')?.[1];
  const id = statusId({ resourceId: vm.resourceId, at: secondOfKey(key) }, drawn ?? randomPart, moved);
  const now = newVmId === undefined ? 'no longer carries this DCM id' : `now carries the DCM id ${newVmId}`;
  return {
    key,
    id,
    at,
    status: 'DELETED',
    message: messageText(`${plainName(vm.kind, vm.resourceId)} ${now}`),
  };
};

/** The first status under the resource's new DCM id: the last one under the old id. */
export const movedStatus = (
  vm: Resource & { readonly latest: UnpublishedStatus },
  { key: lastKey }: UnpublishedStatus,
  randomPart: string,
): UnpublishedStatus => {
  const { requestId: _, republishedAt: __, ...latest } = vm.latest;
  const at = secondOfKey(lastKey);
  const key = keyBeside(vm.sequence, at + 1, moved);
  const id = statusId({ resourceId: vm.resourceId, at: at + 1 }, randomPart, moved);
  return { ...latest, key, id, at };
};

/** The time of the repeated status, from its key: earlier versions gave a republication the time of its request. */
const originalTime = ({ key, at, republishedAt }: UnpublishedStatus): number =>
  wordOfKey(key) === again && republishedAt === undefined ? partsOf(Number.parseInt(key, 10)).at : at;

/** Whether a republication request is newer than all answered ones. Otherwise redelivered messages would fill the outbox. */
export const isNewRepublication = (
  { repeatedAt = 0 }: Resource,
  { at }: Pick<RepublicationRequest, 'at'>,
): boolean => at > repeatedAt;

/** The second of the request where a status is a republication: its own time then does not show how fast changes are published. */
export const republicationTime = ({
  key,
  at,
  republishedAt,
}: Pick<UnpublishedStatus, 'key' | 'at' | 'republishedAt'>): number | undefined =>
  republishedAt ?? (wordOfKey(key) === again ? at : undefined);

/** A key after those of the held state's statuses so far, and before the next state's. */
const keyAfterLatest = ({ sequence, latest }: Resource, at: number, word: string): string => {
  const taken = latest === undefined || isStateKey(latest.key) ? 0 : secondOfKey(latest.key);
  return keyBeside(sequence, Math.max(at, taken + 1), word);
};

/**
 * Whether a notice is new. It is compared only with the newest of its sort, by the kind's rule. A notice that is older than the held state
 * is about the state before; a notice that ends another one is new while that one holds.
 */
export const isNewNotice = (
  vm: Resource,
  { notice, at, text }: Pick<Notice, 'notice' | 'at' | 'text'>,
): boolean => {
  const { kind, state, sequence, notices } = vm;
  if (state === finalState(kind) || at < partsOf(sequence).at) return false;
  const rule = kind.notices[notice] ?? {};
  const newestAt = (sort: string) => notices?.[sort]?.at ?? 0;
  if (rule.isOnce) return newestAt(notice) === 0;
  if (rule.onlyIn !== undefined && state !== rule.onlyIn) return false;
  const [ended] = endedBy(kind.notices, notice);
  if (ended !== undefined)
    return isHeld(vm, ended) && at >= newestAt(ended) + (rule.isNewAtSameSecond ? 0 : 1);
  return isNewWarning(vm, { rule, notice, at, text });
};

const isNewWarning = (
  vm: Resource,
  { rule, notice, at, text }: Pick<Notice, 'notice' | 'at' | 'text'> & { readonly rule: NoticeRule },
): boolean => {
  const { notices } = vm;
  const newestAt = (sort: string) => notices?.[sort]?.at ?? 0;
  if (rule.isKnownByText && isHeld(vm, notice) && notices?.[notice]?.text === messageText(text)) return false;
  return at > Math.max(newestAt(notice), newestAt(rule.endedBy ?? notice));
};

/** The last part is for people: a state's rank, a sort of notice or the word of a republication. */
const statusId = (
  { resourceId, at }: Pick<Observation, 'resourceId' | 'at'>,
  randomPart: string,
  word: string | number,
): string => `${resourceId}:${at}:${randomPart}:${word}`;

const describeState = (
  kind: Kind,
  observation: Observation,
  { reason, deleteRequested, noticeText }: DescribedIn,
): string => {
  const isFinal = observation.state === finalState(kind);
  const request = isFinal && deleteRequested ? 'deleted by request' : undefined;
  const because = [reason?.message ?? reason?.code ?? request, noticeText].filter(Boolean).join('; ');
  const unexplained = isFinal ? ' (reason unavailable)' : '';
  const state = observation.unrecognised
    ? `in state "${observation.unrecognised}", which this provider does not know`
    : observation.state;
  return messageText(
    `${plainMessage(kind, observation.resourceId, state)}${because ? `: ${because}` : unexplained}`,
  );
};

/** The beginning of every message, and the whole message where there is no more to say. */
export const plainMessage = (kind: Kind, resourceId: string, state: string): string =>
  `${plainName(kind, resourceId)} is ${state}`;

const plainName = ({ noun }: Kind, resourceId: string): string => `${noun} ${serviceNameOf(resourceId)}`;

const maximumMessageBytes = 1024;

/**
 * Text for DCM's `status_message`: at most 1 KiB, no NUL, U+FFFD for half a surrogate pair. Postgres refuses a NUL, and JetStream would
 * then redeliver the message to DCM's consumer without end.
 */
export const messageText = (text: string): string => {
  const clean = text.toWellFormed().replaceAll('\0', '');
  if (Buffer.byteLength(clean) <= maximumMessageBytes) return clean;
  const cut = Buffer.from(clean)
    .subarray(0, maximumMessageBytes - 3)
    .toString()
    .replace(/\uFFFD+$/, '');
  return `${cut}…`;
};
