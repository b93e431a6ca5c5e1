import type { LaunchPlan } from '../domain/launch.ts';
import type { UnpublishedStatus } from '../domain/vm.ts';
import type { Creation, VmRecord } from '../domain/vm-record.ts';
import type { Beginning, LaunchedVm } from '../ports/vm-records.ts';

/** What one conditional UpdateItem of a VM's record does: attributes and what they are set to, in DynamoDB's own expressions. */
export type Change = {
  readonly set?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
  readonly when: string;
  readonly values?: Readonly<Record<string, unknown>>;
};

/** Milliseconds since 1970, and the time to live in seconds. */
export type Times = { readonly nowMs: number; readonly expiresAt: number };

const ofLaunch = ['leaseUntilMs', 'launch'];
const ofRequest = ['requestKey', 'specDigest'];
const ofInstance = ['instanceId', 'account', 'facts', 'adopted', 'deleteRequestedAtMs', 'endedAtMs'];
/** The status FAILED of attempts, until another one begins. */
const ofFailure = ['failure', 'failureId', 'failurePublishedAtMs'];
const counters = { zero: 0, one: 1 };
const orZero = (attribute: string) => `if_not_exists(${attribute}, :zero)`;

const lease = ({ leaseMs }: Beginning, { nowMs, expiresAt }: Times) => ({
  now: nowMs,
  until: nowMs + leaseMs,
  expiresAt,
  ...counters,
});

const requestValues = ({ request }: Beginning) => ({
  ...(request && { requestKey: request.key, specDigest: request.specDigest }),
});

const unlessDeleted = ({ request }: Beginning): string =>
  request === undefined ? '' : ' AND attribute_not_exists(deletedAtMs)';

/** Where nobody has the creation in hand. A region that was chosen before stays: an instance may be there. */
export const begin = (beginning: Beginning, times: Times): Change => ({
  set: {
    vmId: ':vmId',
    '#region': 'if_not_exists(#region, :region)',
    listedIn: 'if_not_exists(#region, :region)',
    generation: orZero('generation'),
    attempt: orZero('attempt'),
    turn: `${orZero('turn')} + :one`,
    leaseUntilMs: ':until',
    createdAtMs: 'if_not_exists(createdAtMs, :now)',
    updatedAtMs: ':now',
    attemptedAtMs: ':now',
    expiresAt: ':expiresAt',
    ...(beginning.request && {
      requestKey: 'if_not_exists(requestKey, :requestKey)',
      specDigest: 'if_not_exists(specDigest, :specDigest)',
    }),
  },
  remove: ofFailure,
  when: `attribute_not_exists(instanceId) AND attribute_not_exists(deleteRequestedAtMs) AND (attribute_not_exists(leaseUntilMs) OR leaseUntilMs <= :now)${unlessDeleted(beginning)}`,
  values: {
    vmId: beginning.vmId,
    region: beginning.region,
    ...requestValues(beginning),
    ...lease(beginning, times),
  },
});

/** Where the VM that had the id is still the one that is gone. */
export const beginAfter = (beginning: Beginning, gone: VmRecord, times: Times): Change => ({
  set: {
    '#region': ':region',
    listedIn: ':region',
    generation: 'generation + :one',
    attempt: ':zero',
    turn: 'turn + :one',
    leaseUntilMs: ':until',
    createdAtMs: ':now',
    updatedAtMs: ':now',
    attemptedAtMs: ':now',
    expiresAt: ':expiresAt',
    ...(beginning.request && { requestKey: ':requestKey', specDigest: ':specDigest' }),
  },
  remove: ['launch', ...ofInstance, ...ofFailure, ...(beginning.request ? [] : ofRequest)],
  when: `turn = :turn AND instanceId = :instanceId${unlessDeleted(beginning)}`,
  values: {
    region: beginning.region,
    ...requestValues(beginning),
    turn: gone.turn,
    instanceId: gone.instanceId,
    ...lease(beginning, times),
  },
});

const inMyHands = 'turn = :turn AND attribute_exists(leaseUntilMs)';

export const attempt = ({ turn }: VmRecord, launch: LaunchPlan, number: number, nowMs: number): Change => ({
  set: { launch: ':launch', attempt: ':attempt', updatedAtMs: ':now' },
  when: inMyHands,
  values: { turn, launch: JSON.stringify(launch), attempt: number, now: nowMs },
});

const noteInstance = { instanceId: ':instanceId', account: ':account', facts: ':facts', updatedAtMs: ':now' };
const instanceValues = ({ instanceId, account, facts }: LaunchedVm, nowMs: number) => ({
  instanceId,
  account,
  facts: JSON.stringify(facts),
  now: nowMs,
});

/**
 * Generation and attempt make the client token: whoever asked EC2 with it got this instance, even if somebody else has taken over. Not
 * so once the next attempt was begun.
 */
export const launched = (mine: VmRecord, vm: LaunchedVm, nowMs: number): Change => ({
  set: { ...noteInstance, adopted: ':adopted' },
  remove: [...ofLaunch, 'expiresAt'],
  when: 'generation = :generation AND (instanceId = :instanceId OR (attempt = :attempt AND attribute_exists(leaseUntilMs)))',
  values: {
    ...instanceValues(vm, nowMs),
    adopted: false,
    generation: mine.generation,
    attempt: mine.attempt,
  },
});

/** Keeps the generation, so that the next VM with this id is asked for under another client token. */
export const abandon = ({ turn }: VmRecord, expiresAt: number): Change => ({
  set: { generation: 'generation + :one', attempt: ':zero', expiresAt: ':expiresAt' },
  remove: [
    '#region',
    'listedIn',
    'createdAtMs',
    'updatedAtMs',
    'deleteRequestedAtMs',
    ...ofRequest,
    ...ofLaunch,
  ],
  when: inMyHands,
  values: { turn, expiresAt, ...counters },
});

/** `adopted` as it is known of the instance; unknown, it is not kept from the instance before. */
const origin = ({ adopted }: LaunchedVm) => ({
  set: adopted === undefined ? {} : { adopted: ':adopted' },
  remove: adopted === undefined ? ['adopted'] : [],
  values: adopted === undefined ? {} : { adopted },
});

/** Where there is no record, or one without an instance; of a creation in hand only by an instance that we launched. */
export const adopt = (vm: LaunchedVm, nowMs: number): Change => ({
  set: {
    ...noteInstance,
    ...origin(vm).set,
    vmId: ':vmId',
    '#region': ':region',
    listedIn: ':region',
    generation: orZero('generation'),
    attempt: orZero('attempt'),
    turn: orZero('turn'),
    createdAtMs: 'if_not_exists(createdAtMs, :now)',
  },
  remove: [...ofLaunch, ...origin(vm).remove, 'expiresAt'],
  when: vm.adopted
    ? 'attribute_not_exists(instanceId) AND attribute_not_exists(leaseUntilMs)'
    : 'attribute_not_exists(instanceId)',
  values: {
    ...instanceValues(vm, nowMs),
    ...origin(vm).values,
    vmId: vm.vmId,
    region: vm.region,
    zero: 0,
  },
});

/** Where the VM that had the id is gone. */
export const adoptAfter = (vm: LaunchedVm, gone: VmRecord, nowMs: number): Change => ({
  set: {
    ...noteInstance,
    ...origin(vm).set,
    '#region': ':region',
    listedIn: ':region',
    generation: 'generation + :one',
    attempt: ':zero',
    createdAtMs: ':now',
  },
  remove: ['deleteRequestedAtMs', 'endedAtMs', 'expiresAt', ...ofRequest, ...origin(vm).remove],
  when: 'turn = :turn AND instanceId = :gone AND attribute_exists(endedAtMs)',
  values: {
    ...instanceValues(vm, nowMs),
    ...origin(vm).values,
    region: vm.region,
    turn: gone.turn,
    gone: gone.instanceId,
    ...counters,
  },
});

/** Where the instance was taken for gone, and is not: its tags were off it for a while. */
export const revive = ({ instanceId, region }: LaunchedVm): Change => ({
  set: { listedIn: ':region' },
  remove: ['endedAtMs', 'expiresAt'],
  when: 'instanceId = :instanceId AND attribute_exists(endedAtMs)',
  values: { instanceId, region },
});

/** Where the creation is still as it was seen, and nobody has it in hand. The week does not end later for it. */
export const fail = (
  { record, turn }: Creation,
  status: UnpublishedStatus,
  { nowMs, expiresAt }: Times,
): Change => ({
  set: {
    failure: ':failure',
    failureId: ':failureId',
    expiresAt: 'if_not_exists(expiresAt, :expiresAt)',
  },
  when: [
    turn === undefined ? 'attribute_not_exists(turn)' : 'turn = :turn',
    record?.instanceId === undefined ? 'attribute_not_exists(instanceId)' : 'instanceId = :instanceId',
    '(attribute_not_exists(leaseUntilMs) OR leaseUntilMs <= :now)',
    'attribute_not_exists(failureId)',
  ].join(' AND '),
  values: {
    failure: JSON.stringify(status),
    failureId: status.id,
    expiresAt,
    now: nowMs,
    ...(turn !== undefined && { turn }),
    ...(record?.instanceId !== undefined && { instanceId: record.instanceId }),
  },
});

export const failurePublished = (statusId: string, nowMs: number): Change => ({
  set: { failurePublishedAtMs: ':now' },
  when: 'failureId = :failureId',
  values: { failureId: statusId, now: nowMs },
});

export const requestDelete = (nowMs: number): Change => ({
  set: { deleteRequestedAtMs: 'if_not_exists(deleteRequestedAtMs, :now)', deletedAtMs: ':now' },
  when: 'attribute_exists(instanceId) OR attribute_exists(leaseUntilMs)',
  values: { now: nowMs },
});

/** Where there is no VM with this id, and nobody creates one. */
export const noteDeletion = ({ nowMs, expiresAt }: Times): Change => ({
  set: { deletedAtMs: ':now', expiresAt: ':expiresAt' },
  when: 'attribute_not_exists(instanceId) AND attribute_not_exists(leaseUntilMs)',
  values: { now: nowMs, expiresAt },
});

export const withdrawDelete: Change = {
  remove: ['deleteRequestedAtMs', 'deletedAtMs'],
  when: 'attribute_exists(deleteRequestedAtMs)',
};

export const end = (instanceId: string, { nowMs, expiresAt }: Times): Change => ({
  set: { endedAtMs: ':now', expiresAt: ':expiresAt' },
  remove: ['listedIn'],
  when: 'instanceId = :instanceId AND attribute_not_exists(endedAtMs)',
  values: { instanceId, now: nowMs, expiresAt },
});
