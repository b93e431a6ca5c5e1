import type { UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { sequenceOf } from '../domain/gate.ts';
import { pastOf, surplusOf } from '../domain/history.ts';
import { type Notice, NoticeKind, type Observation } from '../domain/signal.ts';
import { keptNotice, type UnpublishedStatus, type Vm } from '../domain/vm.ts';
import type { Addresses } from '../domain/vm-outputs.ts';
import type { Claim } from '../ports/fleet.ts';
import { packed } from './dynamodb-fleet-history.ts';
import { noticeAttribute } from './dynamodb-fleet-item.ts';

/** What one conditional UpdateItem of the fleet does, and when it does not. */
export type Update = Pick<
  UpdateCommandInput,
  'UpdateExpression' | 'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
>;

export const claimUpdate = ({ vmId, region, account, ...seen }: Claim): Update => ({
  UpdateExpression: `SET vmId = :vmId, #region = :region, account = :account, outbox = if_not_exists(outbox, :empty), history = if_not_exists(history, :empty), #sequence = if_not_exists(#sequence, :zero)${addresses.expression(seen)} REMOVE expiresAt, duplicateOf`,
  ConditionExpression: 'attribute_not_exists(#state) OR #state <> :terminated',
  ExpressionAttributeNames: { '#region': 'region', '#sequence': 'sequence', '#state': 'state' },
  ExpressionAttributeValues: {
    ':vmId': vmId,
    ':region': region,
    ':account': account,
    ':empty': {},
    ':zero': 0,
    ':terminated': 'terminated',
    ...addresses.values(seen),
  },
});

export const disclaimUpdate = (expiresAt: number, duplicateOf: string | undefined): Update => ({
  UpdateExpression: `SET expiresAt = :expiresAt${duplicateOf === undefined ? ' REMOVE duplicateOf' : ', duplicateOf = :vmId'}`,
  ConditionExpression: 'attribute_not_exists(vmId)',
  ExpressionAttributeValues: {
    ':expiresAt': expiresAt,
    ...(duplicateOf !== undefined && { ':vmId': duplicateOf }),
  },
});

export const requestDeleteUpdate: Update = {
  UpdateExpression: 'SET deleteRequested = :yes',
  ConditionExpression: 'attribute_exists(vmId)',
  ExpressionAttributeValues: { ':yes': true },
};

const noticeNames = Object.fromEntries(
  NoticeKind.options.map((kind, index) => [`#notice${index}`, noticeAttribute(kind)]),
);
/** The paths of all that may be held of notices, `notice` by earlier versions. */
const noticePaths = ['notice', ...Object.keys(noticeNames)].join(', ');

export const releaseUpdate = (expiresAt: number): Update => ({
  UpdateExpression: `SET expiresAt = :expiresAt REMOVE vmId, outbox, history, latest, repeatedAt, ${addressAttributes.join(', ')}, deleteRequested, #sequence, #state, ${noticePaths}`,
  ConditionExpression: 'attribute_exists(vmId)',
  ExpressionAttributeNames: { '#sequence': 'sequence', '#state': 'state', ...noticeNames },
  ExpressionAttributeValues: { ':expiresAt': expiresAt },
});

/** The gate (domain/gate.ts) and the outbox in one write. `expiresAt` where this observation is a VM's last. */
export const recordUpdate = (
  observation: Observation,
  status: UnpublishedStatus,
  expiresAt: number | undefined,
): Update => ({
  UpdateExpression: [
    `SET #sequence = :sequence, #state = :state, ${addNewStatus}${addresses.expression(observation)}`,
    ...(expiresAt === undefined ? [] : [', expiresAt = :expiresAt']),
    ...(observation.state === 'running' ? [` REMOVE ${noticePaths}`] : []),
    ...(losesPublicAddress(observation) ? [' REMOVE publicAddress'] : []),
  ].join(''),
  ConditionExpression:
    'attribute_exists(vmId) AND #sequence < :sequence AND (attribute_not_exists(#state) OR NOT #state IN (:terminated, :state))',
  ExpressionAttributeNames: {
    '#sequence': 'sequence',
    '#state': 'state',
    '#key': status.key,
    ...(observation.state === 'running' && noticeNames),
  },
  ExpressionAttributeValues: {
    ':sequence': sequenceOf(observation),
    ':state': observation.state,
    ':status': status,
    ':past': packed(observation.instanceId, pastOf(status)),
    ':terminated': 'terminated',
    ...addresses.values(observation),
    ...(expiresAt !== undefined && { ':expiresAt': expiresAt }),
  },
});

/** The held state, seen again later. */
export const moveGateUpdate = (observation: Observation): Update => ({
  UpdateExpression: `SET #sequence = :sequence${addresses.expression(observation)}`,
  ConditionExpression: '#sequence < :sequence AND #state = :state',
  ExpressionAttributeNames: { '#sequence': 'sequence', '#state': 'state' },
  ExpressionAttributeValues: {
    ':sequence': sequenceOf(observation),
    ':state': observation.state,
    ...addresses.values(observation),
  },
});

/** A stop takes the public address away, and a start gives another one. Not so an Elastic IP address, which EC2 then shows again. */
const losesPublicAddress = ({ state, publicAddress }: Observation): boolean =>
  publicAddress === undefined && (state === 'pending' || state === 'stopped');

const addressAttributes = ['privateAddress', 'publicAddress', 'getsPublicAddress', 'isWindows'] as const;

/** Those of the addresses that were seen. An instance that had a public address once gets one each time it starts. */
const seenOf = (seen: Addresses) => {
  const known = { ...seen, ...(seen.publicAddress && { getsPublicAddress: true }) };
  return addressAttributes.flatMap((attribute) => {
    const value = known[attribute];
    return value === undefined || value === false ? [] : [[attribute, value] as const];
  });
};
const addresses = {
  expression: (seen: Addresses) =>
    seenOf(seen)
      .map(([attribute]) => `, ${attribute} = :${attribute}`)
      .join(''),
  values: (seen: Addresses) =>
    Object.fromEntries(seenOf(seen).map(([attribute, value]) => [`:${attribute}`, value])),
};

/** For an item that still holds what `vm` does. */
export const readdressUpdate = (vm: Vm, seen: Addresses, status: UnpublishedStatus | undefined): Update => ({
  UpdateExpression: `SET vmId = vmId${addresses.expression(seen)}${status ? `, ${addStatus}` : ''}`,
  ConditionExpression: stillHeld.condition(vm),
  ExpressionAttributeNames: { ...stillHeld.names(vm), ...(status && { '#key': status.key }) },
  ExpressionAttributeValues: {
    ...stillHeld.values(vm),
    ...addresses.values(seen),
    ...(status && { ':status': status }),
  },
});

/** isNoticeNews (domain/vm.ts), for an item that still holds what `vm` does. */
export const notifyUpdate = (vm: Vm, notice: Notice, status: UnpublishedStatus | undefined): Update => {
  const isOnce = notice.notice === 'spot-interruption';
  return {
    UpdateExpression: `SET #notice = :notice${status ? `, ${addNewStatus}` : ''}`,
    ConditionExpression: `${stillHeld.condition(vm)} AND (attribute_not_exists(#notice)${isOnce ? '' : ' OR #notice.#at < :at'})`,
    ExpressionAttributeNames: {
      ...stillHeld.names(vm),
      '#notice': noticeAttribute(notice.notice),
      ...(!isOnce && { '#at': 'at' }),
      ...(status && { '#key': status.key }),
    },
    ExpressionAttributeValues: {
      ...stillHeld.values(vm),
      ':notice': keptNotice(notice),
      ...(!isOnce && { ':at': notice.at }),
      ...(status && { ':status': status, ':past': packed(vm.instanceId, pastOf(status)) }),
    },
  };
};

/** isRepeatNews (domain/vm.ts), for an item that still holds what `vm` does. */
export const repeatUpdate = (vm: Vm, status: UnpublishedStatus): Update => ({
  UpdateExpression: `SET repeatedAt = :at, ${addStatus}`,
  ConditionExpression: `${stillHeld.condition(vm)} AND (attribute_not_exists(repeatedAt) OR repeatedAt < :at)`,
  ExpressionAttributeNames: { ...stillHeld.names(vm), '#key': status.key },
  ExpressionAttributeValues: { ...stillHeld.values(vm), ':status': status, ':at': status.republishedAt },
});

/** Another DCM id for an item that still holds what `vm` does. */
export const moveUpdate = (vm: Vm, vmId: string, status: UnpublishedStatus | undefined): Update => ({
  UpdateExpression: `SET vmId = :vmId, outbox = :outbox${status ? ', latest = :status' : ''} REMOVE deleteRequested, repeatedAt`,
  ConditionExpression: `${stillHeld.condition(vm)} AND vmId = :former`,
  ExpressionAttributeNames: stillHeld.names(vm),
  ExpressionAttributeValues: {
    ...stillHeld.values(vm),
    ':vmId': vmId,
    ':former': vm.vmId,
    ':outbox': status ? { [status.key]: status } : {},
    ...(status && { ':status': status }),
  },
});

const addStatus = 'latest = :status, outbox.#key = :status';
const addNewStatus = `${addStatus}, history.#key = :past`;

/** Neither the state has changed since `vm` was read, nor what was told of it. */
const stillHeld = {
  condition: ({ latest }: Vm) =>
    `attribute_exists(vmId) AND #sequence = :sequence AND ${latest ? 'latest.#id = :latest' : 'attribute_not_exists(latest)'}`,
  names: ({ latest }: Vm) => ({ '#sequence': 'sequence', ...(latest && { '#id': 'id' }) }),
  values: ({ sequence, latest }: Vm) => ({ ':sequence': sequence, ...(latest && { ':latest': latest.id }) }),
};

/**
 * So many paths, of at most 15 bytes each, stay below 4,096 bytes of an expression and 300 operators, whatever counts as one.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters
 */
const maximumPaths = 200;

/** One update, or as many as DynamoDB's limits take; each by itself leaves an item that can be read. */
export const settleUpdates = (
  { outbox, history }: Pick<Vm, 'outbox' | 'history'>,
  keys: readonly string[],
): Update[] => {
  const settled = new Set(keys);
  const unpublished = outbox.flatMap(({ key }) => (settled.has(key) ? [] : [key]));
  const removed = [
    ...[...settled].map((key) => ['outbox', key] as const),
    ...surplusOf(history, unpublished).map((key) => ['history', key] as const),
  ];
  const portions = Array.from({ length: Math.ceil(removed.length / maximumPaths) }, (_, index) =>
    removed.slice(index * maximumPaths, (index + 1) * maximumPaths),
  );
  return portions.map((portion) => ({
    UpdateExpression: `REMOVE ${portion.map(([map], index) => `${map}.#k${index}`).join(', ')}`,
    ConditionExpression: 'attribute_exists(vmId)',
    ExpressionAttributeNames: Object.fromEntries(portion.map(([, key], index) => [`#k${index}`, key])),
  }));
};
