import { stuckLaunch } from './follow-up.ts';
import {
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
import { type Circumstances, finalState, type Kind, type NoticeRule, type StateReason } from './kind.ts';
import type { Notice, Observation, RepublicationRequest } from './message.ts';
import type { Addresses } from './outputs.ts';

/** A status that is not published yet, or not known to be. */
export type UnpublishedStatus = {
  /** Orders the statuses of one resource, as a string too; also the CloudEvent's `sequence`. */
  readonly key: string;
  /**
   * CloudEvent id and `Nats-Msg-Id`: drawn once for this status, the same at every attempt to publish it, and not to be guessed, for
   * JetStream drops a message whose id another message of the stream, on any subject, has taken.
   */
  readonly id: string;
  /** Seconds since 1970 on the service's clock. */
  readonly at: number;
  readonly status: string;
  readonly message: string;
  /** The request to our API that caused the change; undefined where none did. */
  readonly requestId?: string | undefined;
  /** Seconds since 1970 on our clock of the request to publish it once more; undefined for its first publication. */
  readonly republishedAt?: number | undefined;
};

/** By sort, with the second of the service's clock and the text, which is at most 1 KiB. */
export type Notices = Readonly<Record<string, Pick<Notice, 'at' | 'text'> | undefined>>;

/** One resource of ours, as the resource store holds it. */
export type Resource = Addresses & {
  readonly kind: Kind;
  readonly resourceId: string;
  /** The id that DCM gave it. */
  readonly dcmId: string;
  readonly region: string;
  readonly account: string;
  /** 0 before the first observation. */
  readonly sequence: Sequence;
  readonly state?: string | undefined;
  /** The newest notice of each sort, kept until the resource runs again. Absent: none. */
  readonly notices?: Notices | undefined;
  readonly deleteRequested?: boolean | undefined;
  /** What was put into the outbox last, whether it is still there or not: all that DCM knows, or is about to. */
  readonly latest?: UnpublishedStatus | undefined;
  /** The second of the newest request for which that was republished. */
  readonly repeatedAt?: number | undefined;
  /** Ascending. */
  readonly outbox: readonly UnpublishedStatus[];
  /** Ascending: the ten newest statuses without repeats, and more until what is unpublished is settled (core/history.ts). */
  readonly history: readonly PastStatus[];
};

/** An observation as a status of DCM, without an id, as the API answers it. */
export const describedStatus = (
  kind: Kind,
  observation: Observation,
  circumstances: Circumstances & { readonly noticeText?: string | undefined } = {},
): Omit<UnpublishedStatus, 'id'> => {
  const reason = observation.reason ?? circumstances.reason;
  const sequence = sequenceOf(kind, observation);
  return {
    key: String(sequence),
    at: observation.at,
    status: kind.statusOf(observation.state, { ...circumstances, reason }),
    message: describeState(kind, observation, reason, circumstances.noticeText),
    ...(observation.requestId !== undefined && { requestId: observation.requestId }),
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

/** What is known of a resource that decides, beside the service's reason, how an observation of it is reported. */
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

/** The notices that may have led to a state: none to the running state, no stuck launch, and none that was due long before. */
const noticesBehind = (vm: Resource, { state, at }: Pick<Observation, 'state' | 'at'>) =>
  currentNotices(vm).filter(
    ({ notice, at: noticedAt }) =>
      state !== vm.kind.runningState &&
      notice !== stuckLaunch &&
      at - noticedAt <= (vm.kind.notices[notice]?.explainsForSeconds ?? Number.POSITIVE_INFINITY),
  );

/**
 * A notice as a status: the held status again with this warning first and every other current one after it, for DCM keeps only the last
 * message. It sorts after the held status and before the next one.
 */
export const noticeStatus = (
  vm: Resource & { readonly state: string },
  notice: Notice,
  randomPart: string,
): UnpublishedStatus => ({
  key: keyAfterLatest(vm, notice.at, notice.notice),
  id: statusId(notice, randomPart, notice.notice),
  at: notice.at,
  status: vm.kind.statusOf(vm.state, {
    notice: isHeldStuck(vm) ? stuckLaunch : notice.notice,
    deleteRequested: vm.deleteRequested,
  }),
  message: messageText(
    `${plainMessage(vm.kind, vm.resourceId, vm.state)}${withText(warningText(vm, notice))}`,
  ),
});

const withText = (text: string): string => text && `: ${text}`;

/** This notice first, so that a message that has to be cut keeps it. */
const warningText = (vm: Resource, { notice, at, text }: Notice): string => {
  const others = currentNotices({ ...vm, notices: { ...vm.notices, [notice]: { at, text } } });
  return [text, ...others.flatMap((other) => (other.notice === notice ? [] : [other.text]))]
    .filter(Boolean)
    .join('; ');
};

/** What is currently noticed of a resource, in the order of the kind's sorts: without what is over, and a stuck launch that came up. */
const currentNotices = (vm: Resource): Pick<Notice, 'notice' | 'at' | 'text'>[] =>
  Object.keys(vm.kind.notices).flatMap((notice) => {
    const held = vm.notices?.[notice];
    const isWarning =
      isHeld(vm, notice) && !isEnd(vm.kind, notice) && (notice !== stuckLaunch || isHeldStuck(vm));
    return held && isWarning ? [{ notice, ...held }] : [];
  });

/** Whether a notice says that another one is over. */
const isEnd = ({ notices }: Kind, notice: string): boolean => endedBy(notices, notice).length > 0;

const endedBy = (notices: Kind['notices'], end: string): string[] =>
  Object.entries(notices).flatMap(([notice, rule]) => (rule.endedBy === end ? [notice] : []));

/** There was a notice of this sort, and none since that says that it is over. */
const isHeld = ({ kind, notices }: Pick<Resource, 'kind' | 'notices'>, notice: string): boolean => {
  const held = notices?.[notice];
  const end = kind.notices[notice]?.endedBy;
  return held !== undefined && (end === undefined || held.at > (notices?.[end]?.at ?? 0));
};

/** Other notices do not bring a stuck launch up. */
const isHeldStuck = ({ notices, sequence }: Resource): boolean => {
  const stuck = notices?.[stuckLaunch];
  return stuck !== undefined && stuck.at >= partsOf(sequence).at;
};

/** The notice of this sort holds: none since has said that it is over. */
export const holdsNotice = isHeld;

/** A notice as the resource store keeps it. The service does not bound its text. */
export const keptNotice = ({ at, text }: Pick<Notice, 'at' | 'text'>) => ({ at, text: messageText(text) });

const again = 'again';

/**
 * What was published last, to be published once more: with its own time and request, for it is about the same change. It sorts after that,
 * and before the next status.
 */
export const republishedStatus = (
  vm: Resource & { readonly latest: UnpublishedStatus },
  { at }: Pick<RepublicationRequest, 'at'>,
  randomPart: string,
): UnpublishedStatus => republished(vm, { at, word: again }, randomPart);

/** What was published last, to be published once more because the resource's addresses have changed since. */
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

const moved = 'moved';

/**
 * The last status under a DCM id that the resource does not carry any more from `at` on: DELETED. The same at each
 * attempt while `vm` is what is held: it is in no outbox, so its id takes the random part of the last status. `randomPart` is for a
 * resource whose last status has none.
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
  return { key, id, at, status: 'DELETED', message: messageText(`${vm.kind.noun} ${vm.resourceId} ${now}`) };
};

/** The first status under another DCM id that the resource carries: what was published last under the old id. */
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

/** Earlier versions gave a republication the time of its request; what it repeats has that of the state, which its key begins with. */
const originalTime = ({ key, at, republishedAt }: UnpublishedStatus): number =>
  wordOfKey(key) === again && republishedAt === undefined ? partsOf(Number.parseInt(key, 10)).at : at;

/** Is this request newer than all that were answered? Else messages that are tried again and again would fill the outbox. */
export const isNewRepublication = (
  { repeatedAt = 0 }: Resource,
  { at }: Pick<RepublicationRequest, 'at'>,
): boolean => at > repeatedAt;

/** The second of the request where a status is a republication; its own time then says nothing of how fast changes are published. */
export const republicationTime = ({
  key,
  at,
  republishedAt,
}: Pick<UnpublishedStatus, 'key' | 'at' | 'republishedAt'>): number | undefined =>
  republishedAt ?? (wordOfKey(key) === again ? at : undefined);

/** Between the held state's key and the next one's, and after all that was published of the held state already. */
const keyAfterLatest = ({ sequence, latest }: Resource, at: number, word: string): string => {
  const taken = latest === undefined || isStateKey(latest.key) ? 0 : secondOfKey(latest.key);
  return keyBeside(sequence, Math.max(at, taken + 1), word);
};

/**
 * Does this notice say something that is not known yet? It is compared with the newest of its sort only, by the kind's rule. A notice that
 * is older than the held state was about the state before; one that says that another is over is new while that other holds.
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

/** The end says what it is, for people: a state's rank, a kind of notice or a repeat. */
const statusId = (
  { resourceId, at }: Pick<Observation, 'resourceId' | 'at'>,
  randomPart: string,
  word: string | number,
): string => `${resourceId}:${at}:${randomPart}:${word}`;

const describeState = (
  kind: Kind,
  observation: Observation,
  reason: StateReason | undefined,
  notice: string | undefined,
): string => {
  const because = [reason?.message ?? reason?.code, notice].filter(Boolean).join('; ');
  const unexplained = observation.state === finalState(kind) ? ' (reason unavailable)' : '';
  const state = observation.unrecognised
    ? `in state "${observation.unrecognised}", which this provider does not know`
    : observation.state;
  return messageText(
    `${plainMessage(kind, observation.resourceId, state)}${because ? `: ${because}` : unexplained}`,
  );
};

/** What a message begins with, and all of it where there is no more to say. */
export const plainMessage = ({ noun }: Kind, resourceId: string, state: string): string =>
  `${noun} ${resourceId} is ${state}`;

const maximumMessageBytes = 1024;

/**
 * Text as DCM's `status_message` takes it: at most 1 KiB, no NUL, U+FFFD for half a surrogate pair. Postgres refuses a NUL, and DCM's
 * consumer then asks for the same message again without end.
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
