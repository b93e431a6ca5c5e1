import {
  type Circumstances,
  type InstanceState,
  type StateReason,
  type VmStatus,
  vmStatus,
} from '../service-types/vm/kind.ts';
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
import { type Notice, NoticeKind, type Observation, type RepublicationRequest } from './message.ts';
import type { Addresses } from './outputs.ts';

/** A status that DCM has not been told yet, or not yet for certain. */
export type UnpublishedStatus = {
  /** Orders the statuses of one VM, as a string too; also the CloudEvent's `sequence`. */
  readonly key: string;
  /**
   * CloudEvent id and `Nats-Msg-Id`: drawn once for this status, the same at every attempt to publish it, and not to be guessed, for
   * JetStream drops a message whose id another message of the stream, on any subject, has taken.
   */
  readonly id: string;
  /** Seconds since 1970 on EC2's clock. */
  readonly at: number;
  readonly status: VmStatus;
  readonly message: string;
  /** The request to the provider's API that it is due to; undefined where EC2 changed by itself, or for somebody else. */
  readonly requestId?: string | undefined;
  /** Seconds since 1970 on our clock of the request to publish it once more; undefined for its first publication. */
  readonly republishedAt?: number | undefined;
};

/** By kind, with the second of EC2's clock and the text, which is at most 1 KiB. */
export type Notices = { readonly [Kind in NoticeKind]?: Pick<Notice, 'at' | 'text'> | undefined };

/** One EC2 instance that is a DCM VM, as the fleet remembers it. */
export type Resource = Addresses & {
  readonly resourceId: string;
  /** The id DCM gave it. */
  readonly dcmId: string;
  readonly region: string;
  readonly account: string;
  /** 0 before the first observation. */
  readonly sequence: Sequence;
  readonly state?: InstanceState | undefined;
  /** The newest notice of each kind, kept until the VM runs again. Absent: none. */
  readonly notices?: Notices | undefined;
  readonly deleteRequested?: boolean | undefined;
  /** What was put into the outbox last, whether it is still there or not: all that DCM knows, or is about to. */
  readonly latest?: UnpublishedStatus | undefined;
  /** The second of the newest request for which that was told again. */
  readonly repeatedAt?: number | undefined;
  /** Ascending. */
  readonly outbox: readonly UnpublishedStatus[];
  /** Ascending: the ten newest statuses without repeats, and more until what is unpublished is settled (core/history.ts). */
  readonly history: readonly PastStatus[];
};

/** What an observation tells DCM, without an id: as the API answers it. */
export const describedStatus = (
  observation: Observation,
  circumstances: Circumstances & { readonly noticeText?: string | undefined } = {},
): Omit<UnpublishedStatus, 'id'> => {
  const reason = observation.reason ?? circumstances.reason;
  const sequence = sequenceOf(observation);
  return {
    key: String(sequence),
    at: observation.at,
    status: vmStatus(observation.state, { ...circumstances, reason }),
    message: describeState(observation, reason, circumstances.noticeText),
    ...(observation.requestId !== undefined && { requestId: observation.requestId }),
  };
};

/** What an observation tells DCM. `randomPart` (ports/random-part.ts) is drawn for this status alone. */
export const statusOf = (
  observation: Observation,
  randomPart: string,
  circumstances?: Parameters<typeof describedStatus>[1],
): UnpublishedStatus => ({
  ...describedStatus(observation, circumstances),
  id: statusId(observation, randomPart, partsOf(sequenceOf(observation)).rank),
});

/** What is known of a VM that decides, beside EC2's reason, how an observation of it is reported. */
export const circumstancesOf = (vm: Resource, observation: Pick<Observation, 'state' | 'at'>) => {
  const warnings = noticesBehind(vm, observation);
  return {
    notice: warnings.find(({ notice }) => notice === 'spot-interruption')?.notice,
    noticeText: warnings.map(({ text }) => text).join('; '),
    deleteRequested: vm.deleteRequested,
    hasRun: [vm.state, ...vm.history.map(({ key }) => stateOfKey(key))].some(isAfterLaunch),
  };
};

/** Only an instance that has run can be in one of these states. */
const isAfterLaunch = (state: InstanceState | undefined): boolean =>
  state === 'running' || state === 'stopping' || state === 'stopped';

/** EC2 acts two minutes after a spot warning; shutting down takes up to some minutes more. */
const spotWarningSeconds = 300;

/** The warnings that may have led to a state: none to `running`, no stuck launch, and no spot interruption that was due long before. */
const noticesBehind = (vm: Resource, { state, at }: Pick<Observation, 'state' | 'at'>) =>
  currentNotices(vm).filter(
    (held) =>
      state !== 'running' &&
      held.notice !== 'stuck-launch' &&
      !(held.notice.startsWith('spot-') && at - held.at > spotWarningSeconds),
  );

/**
 * A notice as a status: the held status again with this warning first and every other current one after it, for DCM keeps only the last
 * message. It sorts after the held status and before the next one.
 */
export const noticeStatus = (
  vm: Resource & { readonly state: InstanceState },
  notice: Notice,
  randomPart: string,
): UnpublishedStatus => ({
  key: keyAfterLatest(vm, notice.at, notice.notice),
  id: statusId(notice, randomPart, notice.notice),
  at: notice.at,
  status: vmStatus(vm.state, {
    notice: isHeldStuck(vm) ? 'stuck-launch' : notice.notice,
    deleteRequested: vm.deleteRequested,
  }),
  message: messageText(`${plainMessage(vm.resourceId, vm.state)}${withText(warningText(vm, notice))}`),
});

const withText = (text: string): string => text && `: ${text}`;

/** This notice first, so that a message that has to be cut keeps it. */
const warningText = (vm: Resource, { notice, at, text }: Notice): string => {
  const others = currentNotices({ ...vm, notices: { ...vm.notices, [notice]: { at, text } } });
  return [text, ...others.flatMap((other) => (other.notice === notice ? [] : [other.text]))]
    .filter(Boolean)
    .join('; ');
};

/** What a VM is warned of, in the order of the kinds: without what is over, and a stuck launch that came up. */
const currentNotices = (vm: Resource): Pick<Notice, 'notice' | 'at' | 'text'>[] =>
  NoticeKind.options.flatMap((kind) => {
    const held = vm.notices?.[kind];
    const isWarning = isHeld(vm, kind) && !ends.has(kind) && (kind !== 'stuck-launch' || isHeldStuck(vm));
    return held && isWarning ? [{ notice: kind, ...held }] : [];
  });

/** By kind, the kind that says that it is over. */
const endOf: { readonly [Kind in NoticeKind]?: NoticeKind } = {
  impaired: 'recovered',
  'scheduled-change': 'scheduled-change-closed',
};
const ends = new Set(Object.values(endOf));

/** There was a notice of this kind, and none since that says that it is over. */
const isHeld = ({ notices }: Pick<Resource, 'notices'>, kind: NoticeKind): boolean => {
  const held = notices?.[kind];
  const end = endOf[kind];
  return held !== undefined && (end === undefined || held.at > (notices?.[end]?.at ?? 0));
};

/** Other notices do not bring a stuck launch up. */
const isHeldStuck = ({ notices, sequence }: Resource): boolean => {
  const stuck = notices?.['stuck-launch'];
  return stuck !== undefined && stuck.at >= partsOf(sequence).at;
};

/** A status check of it failed, and has not passed since. */
export const isImpaired = (vm: Pick<Resource, 'notices'>): boolean => isHeld(vm, 'impaired');

/** A notice as the fleet keeps it. EC2 does not bound its text. */
export const keptNotice = ({ at, text }: Pick<Notice, 'at' | 'text'>) => ({ at, text: messageText(text) });

const again = 'again';

/**
 * What was published last, to be published once more: with its own time and request, for it tells of the same change. It sorts after that,
 * and before the next status.
 */
export const republishedStatus = (
  vm: Resource & { readonly latest: UnpublishedStatus },
  { at }: Pick<RepublicationRequest, 'at'>,
  randomPart: string,
): UnpublishedStatus => republished(vm, { at, word: again }, randomPart);

/** What was published last, to be published once more because the VM's addresses have changed since. */
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
 * The last status of a VM whose instance carries another DCM id from `at` on: DELETED, since this VM exists no more. The same at each
 * attempt while `vm` is what is held: it is in no outbox, so its id takes the random part of the VM's last status. `randomPart` is for a
 * VM whose last status has none.
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
  return { key, id, at, status: 'DELETED', message: messageText(`instance ${vm.resourceId} ${now}`) };
};

/** The first status of the VM that an instance becomes by another DCM id: what was published last under the old id. */
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

/** Between the held state's key and the next one's, and after all that was told of the held state already. */
const keyAfterLatest = ({ sequence, latest }: Resource, at: number, word: string): string => {
  const taken = latest === undefined || isStateKey(latest.key) ? 0 : secondOfKey(latest.key);
  return keyBeside(sequence, Math.max(at, taken + 1), word);
};

/**
 * Does this notice say something that is not known yet? Each kind by itself: it is compared with the newest of its kind only. A notice
 * that is older than the held state was about the state before. EC2 interrupts a spot instance once; status checks are of what runs.
 */
export const isNewNotice = (
  vm: Resource,
  { notice: kind, at, text }: Pick<Notice, 'notice' | 'at' | 'text'>,
): boolean => {
  const { state, sequence, notices } = vm;
  if (state === 'terminated' || at < partsOf(sequence).at) return false;
  const newestAt = (of: NoticeKind) => notices?.[of]?.at ?? 0;
  if (kind === 'spot-interruption') return newestAt(kind) === 0;
  if (kind === 'recovered') return state === 'running' && isImpaired(vm) && at > newestAt('impaired');
  if (kind === 'scheduled-change-closed')
    return isHeld(vm, 'scheduled-change') && at >= newestAt('scheduled-change');
  if (kind === 'impaired' && state !== 'running') return false;
  // a copy from a backup region, or a reminder
  if (kind === 'scheduled-change' && isHeld(vm, kind) && notices?.[kind]?.text === messageText(text))
    return false;
  return at > Math.max(newestAt(kind), newestAt(endOf[kind] ?? kind));
};

/** The end says what it is, for people: a state's rank, a kind of notice or a repeat. */
const statusId = (
  { resourceId, at }: Pick<Observation, 'resourceId' | 'at'>,
  randomPart: string,
  word: string | number,
): string => `${resourceId}:${at}:${randomPart}:${word}`;

const describeState = (
  observation: Observation,
  reason: StateReason | undefined,
  notice: string | undefined,
): string => {
  const because = [reason?.message ?? reason?.code, notice].filter(Boolean).join('; ');
  const unexplained = observation.state === 'terminated' ? ' (reason unavailable)' : '';
  const state = observation.unrecognised
    ? `in state "${observation.unrecognised}", which this provider does not know`
    : observation.state;
  return messageText(
    `${plainMessage(observation.resourceId, state)}${because ? `: ${because}` : unexplained}`,
  );
};

/** What a message begins with, and all of it where there is no more to say. */
export const plainMessage = (resourceId: string, state: string): string =>
  `instance ${resourceId} is ${state}`;

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
