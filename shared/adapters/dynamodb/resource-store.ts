import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  ScanCommand,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import { counted, ProviderError, reasonOf, UnavailableError, UnreadableError } from '../../core/errors.ts';
import { isNewerObservation, secondOfKey, sequenceOf, stateOfKey } from '../../core/gate.ts';
import { type PastStatus, pastStatusOf, surplusOf } from '../../core/history.ts';
import { finalState, isEnd, isStopped, type Kind, kindOf } from '../../core/kind.ts';
import type { Notice, Observation } from '../../core/message.ts';
import { type Addresses, billedFactsOf, changesOutputs } from '../../core/outputs.ts';
import {
  isNewNotice,
  isNewRepublication,
  joinsHistory,
  keptNotice,
  plainMessage,
  type Resource,
  type UnforwardedStatus,
  type UnpublishedStatus,
} from '../../core/resource.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Claim, Forwarding, Ownership, Recorded, ResourceStore } from '../../ports/resource-store.ts';
import { batchGet } from './batch-get.ts';
import { tableError } from './errors.ts';
import { refuseNewerFormat, withFormat } from './format.ts';

const secondsPerDay = 86_400;
/** How long a terminated VM is kept, so that the gate still rejects late duplicates and redriven messages. */
const keepTerminatedDays = 7;
const keepForeignDays = 1;

/**
 * The resource store in one DynamoDB table, one item for each instance. Works the same on AWS, dynalite and moto: single conditional
 * updates, a read after a refused one, no transactions, no streams. Expiry is checked here too, because DynamoDB deletes late.
 */
export const dynamoDbResourceStore = (
  client: DynamoDBDocumentClient,
  table: string,
  kinds: readonly Kind[],
  now: Clock = Date.now,
): ResourceStore => {
  const { resourceOf, ownershipOf } = itemReader(kinds);
  const inDays = (days: number) => Math.floor(now() / 1000) + days * secondsPerDay;

  /** The item after the update, or undefined where its condition refused it. */
  const update = async (resourceId: string, change: Update) => {
    const command = {
      TableName: table,
      Key: { pk: resourceId },
      ReturnValues: 'ALL_NEW',
      ...withFormat(change),
    } as const;
    try {
      return (await client.send(new UpdateCommand(command))).Attributes ?? {};
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw tableError(error, `the DynamoDB table did not write ${resourceId}`);
    }
  };

  /** The item after all writes so far, read consistently, as a refused write found it. */
  const asHeld = async (resourceId: string): Promise<Recorded> => {
    const command = new GetCommand({ TableName: table, Key: { pk: resourceId }, ConsistentRead: true });
    const { Item } = await client.send(command).catch((error: unknown) => {
      throw tableError(error, `the DynamoDB table did not read ${resourceId}`);
    });
    const held = ownershipOf(Item, now());
    if (held.owner === 'unreadable') throw held.error;
    return held.owner === 'ours' ? { outcome: 'stale', vm: held.vm } : { outcome: 'unknown' };
  };

  return {
    async read(resourceIds) {
      const found = new Map<string, Ownership>(resourceIds.map((id) => [id, { owner: 'unknown' }]));
      const failure = `the DynamoDB table did not read ${counted(found.size, 'instance')}`;
      for (const item of await batchGet({ client, table, failure }, found.keys()))
        found.set(String(item.pk), ownershipOf(item, now()));
      return found;
    },

    async ended({ kind, region, since, token }) {
      const ends = kind.states.filter((state) => isEnd(kind, state));
      const command = new ScanCommand({
        TableName: table,
        FilterExpression: `#region = :region AND #state IN (${ends.map((_, n) => `:end${n}`).join(', ')}) AND #sequence >= :since AND attribute_exists(vmId)`,
        ProjectionExpression: 'pk, account',
        ExpressionAttributeNames: { '#region': 'region', '#state': 'state', '#sequence': 'sequence' },
        ExpressionAttributeValues: {
          ':region': region,
          ...Object.fromEntries(ends.map((state, n) => [`:end${n}`, state])),
          ':since': since * 10,
        },
        ...(token !== undefined && { ExclusiveStartKey: { pk: token } }),
      });
      const { Items = [], LastEvaluatedKey } = await client.send(command).catch((error: unknown) => {
        throw tableError(
          error,
          `the DynamoDB table did not list the ${kind.collection} of ${region} that have ended`,
        );
      });
      const resources = Items.map(({ pk, account }) => ({
        resourceId: String(pk),
        account: String(account),
      }));
      return {
        resources: resources.filter(({ resourceId }) => kind.hasId(resourceId)),
        next: LastEvaluatedKey && String(LastEvaluatedKey.pk),
      };
    },

    async readConsistently(resourceId) {
      const held = await asHeld(resourceId);
      return held.outcome === 'unknown' ? held : { outcome: 'unchanged', vm: held.vm };
    },

    async claim(claim) {
      await update(claim.resourceId, claimUpdate(kindOf(kinds, claim.resourceId), claim));
    },

    async move(vm, dcmId, status) {
      const moved = await update(vm.resourceId, moveUpdate(vm, dcmId, status));
      if (moved) return resourceOf(moved);
      throw new UnavailableError(`${vm.resourceId} changed while it was given another DCM id; try it again`);
    },

    async markForeign(resourceIds, duplicateOf) {
      const change = disclaimUpdate(inDays(keepForeignDays), duplicateOf);
      await Promise.all(resourceIds.map((id) => update(id, change)));
    },

    async requestDelete(resourceId) {
      await update(resourceId, requestDeleteUpdate);
    },

    async removeOwnership(resourceId) {
      await update(resourceId, removeOwnershipUpdate(kindOf(kinds, resourceId), inDays(keepForeignDays)));
    },

    async record(observation, status) {
      const { resourceId, state } = observation;
      const kind = kindOf(kinds, resourceId);
      const expiresAt = state === finalState(kind) ? inDays(keepTerminatedDays) : undefined;
      const recorded = await update(resourceId, recordUpdate(kind, observation, status, expiresAt));
      if (recorded) return { outcome: 'accepted', vm: resourceOf(recorded) };

      const held = await asHeld(resourceId);
      if (
        held.outcome !== 'stale' ||
        held.vm.state !== state ||
        !isNewerObservation(kind, held.vm, observation)
      )
        return held;
      const isToBePublished = changesOutputs(held.vm, observation);
      const moved = isToBePublished ? undefined : await update(resourceId, moveGateUpdate(kind, observation));
      if (moved) return { outcome: 'unchanged', vm: resourceOf(moved) };
      throw new UnavailableError(`${resourceId} changed while its state was recorded; try it again`);
    },

    async notify(vm, notice, status) {
      const noted = await update(vm.resourceId, notifyUpdate(vm, notice, status));
      if (noted) return { outcome: 'accepted', vm: resourceOf(noted) };

      const held = await asHeld(vm.resourceId);
      if (held.outcome !== 'stale' || !isNewNotice(held.vm, notice)) return held;
      throw new UnavailableError(`${vm.resourceId} changed while a notice was recorded; try it again`);
    },

    async readdress(vm, seen, status) {
      const readdressed = await update(vm.resourceId, readdressUpdate(vm, seen, status));
      if (readdressed) return { outcome: status ? 'accepted' : 'unchanged', vm: resourceOf(readdressed) };
      if ((await asHeld(vm.resourceId)).outcome === 'unknown') return { outcome: 'unknown' };
      throw new UnavailableError(`${vm.resourceId} changed while its addresses were recorded; try it again`);
    },

    async republish(vm, status) {
      const repeated = await update(vm.resourceId, repeatUpdate(vm, status));
      if (repeated) return { outcome: 'accepted', vm: resourceOf(repeated) };

      const held = await asHeld(vm.resourceId);
      if (held.outcome !== 'stale' || !isNewRepublication(held.vm, { at: status.republishedAt ?? status.at }))
        return held;
      throw new UnavailableError(`${vm.resourceId} changed while its status was republished; try it again`);
    },

    async settle(vm, keys, forwarding) {
      let settled: Record<string, unknown> | undefined;
      for (const change of settleUpdates(vm, keys, forwarding)) {
        settled = await update(vm.resourceId, change);
        if (settled === undefined) return undefined;
      }
      return settled && resourceOf(settled);
    },
  };
};

/** An unpublished status as it is stored. */
export const storedStatus = ({ statuses }: Pick<Kind, 'statuses'>) =>
  z.object({
    key: z.string(),
    id: z.string(),
    at: z.int(),
    status: z.enum(statuses),
    message: z.string(),
    requestId: z.optional(z.string()),
    seenBy: z.optional(z.enum(['listing', 'api'])),
    keyBefore: z.optional(z.string()),
    republishedAt: z.optional(z.int()),
  });

const noticeFields = { at: z.int(), text: z.string() };

/** The attribute for a resource's newest notice of a sort: one for each sort, so that their updates do not overwrite each other. */
const noticeAttribute = (notice: string): string => `notice#${notice}`;

/** The attribute for a status that the status bus has not taken: one for each, because an item of an earlier version has no map for them. */
const unforwardedPrefix = 'bus#';

const resourceItem = (kind: Kind) => {
  const Status = storedStatus(kind);
  const Sort = z.enum(Object.keys(kind.notices));
  return z.object({
    /** The resource's id. */
    pk: z.string(),
    vmId: z.string(),
    region: z.string(),
    account: z.string(),
    sequence: z.int(),
    state: z.optional(z.enum(kind.states)),
    eventSequence: z.optional(z.int()),
    /** Written by versions that kept only one notice. */
    notice: z.optional(z.object({ notice: Sort, ...noticeFields })),
    /** From an attribute for each sort (noticeAttribute). */
    notices: z.optional(z.partialRecord(Sort, z.object(noticeFields))),
    deleteRequested: z.optional(z.boolean()),
    latest: z.optional(Status),
    repeatedAt: z.optional(z.int()),
    privateAddress: z.optional(z.string()),
    publicAddress: z.optional(z.string()),
    getsPublicAddress: z.optional(z.boolean()),
    isWindows: z.optional(z.boolean()),
    ports: z.optional(z.array(z.object({ port: z.int(), scope: z.enum(['internal', 'external']) }))),
    apiEndpoint: z.optional(z.string()),
    /** The members of BilledFacts (core/outputs.ts), of which DynamoDB reserves some names. */
    billedSize: z.optional(z.string()),
    billedPlatform: z.optional(z.string()),
    billedZone: z.optional(z.string()),
    billedMarket: z.optional(z.enum(['spot'])),
    outbox: z.record(z.string(), Status),
    /** From an attribute for each (unforwardedPrefix). */
    unforwarded: z.optional(z.array(z.extend(Status, { dcmId: z.string() }))),
    history: z.record(z.string(), z.string()),
  });
};

const itemReader = (kinds: readonly Kind[]) => {
  const readers = new Map(kinds.map((kind) => [kind, resourceItem(kind)]));

  /** @throws UnreadableError for an item that this adapter did not write, UnavailableError where it has a newer format. */
  const resourceOf = (item: Record<string, unknown>): Resource => {
    refuseNewerFormat(item);
    const kind = kindOf(kinds, String(item.pk));
    const sorts = Object.keys(kind.notices).filter((sort) => item[noticeAttribute(sort)] !== undefined);
    const bySort = Object.fromEntries(sorts.map((sort) => [sort, item[noticeAttribute(sort)]]));
    const unforwarded = Object.keys(item)
      .filter((name) => name.startsWith(unforwardedPrefix))
      .map((name) => item[name]);
    const parsed = readers.get(kind)?.safeParse({
      ...item,
      ...(sorts.length > 0 && { notices: bySort }),
      ...(unforwarded.length > 0 && { unforwarded }),
    });
    if (!parsed?.success) {
      const why = reasonOf(parsed?.error);
      throw new UnreadableError(`the DynamoDB table's item of ${item.pk} makes no sense: ${why}`, {
        cause: parsed?.error,
      });
    }
    const {
      pk,
      vmId: dcmId,
      outbox,
      history,
      notice,
      notices = {},
      unforwarded: kept,
      billedSize: size,
      billedPlatform: platform,
      billedZone: zone,
      billedMarket: market,
      ...attributes
    } = parsed.data;
    const known = notice ? { [notice.notice]: { at: notice.at, text: notice.text }, ...notices } : notices;
    const past = Object.entries(history).map(([key, text]) => unpacked(kind, { resourceId: pk, key, text }));
    return {
      ...attributes,
      ...billedFactsOf({ size, platform, zone, market }),
      ...(Object.keys(known).length > 0 && { notices: known }),
      ...(kept && { unforwarded: kept.sort(byKey) }),
      kind,
      resourceId: pk,
      dcmId,
      outbox: Object.values(outbox).sort(byKey),
      history: past.sort(byKey),
    };
  };

  /** An item without a `vmId` marks the resource as foreign until it expires. */
  const ownershipOf = (item: Record<string, unknown> | undefined, nowMs: number): Ownership => {
    try {
      if (item?.vmId !== undefined) return { owner: 'ours', vm: resourceOf(item) };
      refuseNewerFormat(item);
      return Number(item?.expiresAt ?? 0) > nowMs / 1000 ? foreign(item?.duplicateOf) : { owner: 'unknown' };
    } catch (error) {
      if (error instanceof ProviderError) return { owner: 'unreadable', error };
      throw error;
    }
  };

  return { resourceOf, ownershipOf };
};

const byKey = (a: { readonly key: string }, b: { readonly key: string }): number => (a.key < b.key ? -1 : 1);

const foreign = (duplicateOf: unknown): Ownership =>
  typeof duplicateOf === 'string' ? { owner: 'foreign', duplicateOf } : { owner: 'foreign' };

/** Marks a message without the plain beginning: no status and no rest of a message begins with it. */
const whole = '\n';

/** A past status as text, without the parts that follow from key and instance, so that ten of them fit into an item's first kilobyte. */
export const packed = (kind: Kind, resourceId: string, { key, status, message }: PastStatus): string => {
  const plain = plainMessage(kind, resourceId, stateOfKey(kind, key));
  const rest = message.startsWith(plain) ? message.slice(plain.length) : undefined;
  return rest === undefined || /^[A-Z\n]/.test(rest) ? `${status}${whole}${message}` : `${status}${rest}`;
};

type Packed = { readonly resourceId: string; readonly key: string; readonly text: string };

/** @throws UnreadableError for a text that `packed` did not write. */
export const unpacked = (kind: Kind, { resourceId, key, text }: Packed): PastStatus => {
  const [status = ''] = /^[A-Z]*/.exec(text) ?? [];
  if (!kind.statuses.includes(status))
    throw new UnreadableError(`the history of ${resourceId} makes no sense: no status begins "${text}"`);
  const rest = text.slice(status.length);
  const message = rest.startsWith(whole)
    ? rest.slice(whole.length)
    : `${plainMessage(kind, resourceId, stateOfKey(kind, key))}${rest}`;
  return { key, at: secondOfKey(key), status, message };
};

/** One conditional UpdateItem of the resource store. */
export type Update = Pick<
  UpdateCommandInput,
  'UpdateExpression' | 'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
>;

const claimUpdate = (kind: Kind, { dcmId, region, account, deleteRequested, ...seen }: Claim): Update => ({
  UpdateExpression: `SET vmId = :vmId, #region = :region, account = :account, outbox = if_not_exists(outbox, :empty), history = if_not_exists(history, :empty), #sequence = if_not_exists(#sequence, :zero)${deleteRequested ? ', deleteRequested = :yes' : ''}${addresses.expression(seen)} REMOVE expiresAt, duplicateOf`,
  ConditionExpression: 'attribute_not_exists(#state) OR #state <> :final',
  ExpressionAttributeNames: { '#region': 'region', '#sequence': 'sequence', '#state': 'state' },
  ExpressionAttributeValues: {
    ':vmId': dcmId,
    ':region': region,
    ':account': account,
    ':empty': {},
    ':zero': 0,
    ':final': finalState(kind),
    ...(deleteRequested && { ':yes': true }),
    ...addresses.values(seen),
  },
});

const disclaimUpdate = (expiresAt: number, duplicateOf: string | undefined): Update => ({
  UpdateExpression: `SET expiresAt = :expiresAt${duplicateOf === undefined ? ' REMOVE duplicateOf' : ', duplicateOf = :vmId'}`,
  ConditionExpression: 'attribute_not_exists(vmId)',
  ExpressionAttributeValues: {
    ':expiresAt': expiresAt,
    ...(duplicateOf !== undefined && { ':vmId': duplicateOf }),
  },
});

const requestDeleteUpdate: Update = {
  UpdateExpression: 'SET deleteRequested = :yes',
  ConditionExpression: 'attribute_exists(vmId)',
  ExpressionAttributeValues: { ':yes': true },
};

const noticeNames = ({ notices }: Kind) =>
  Object.fromEntries(Object.keys(notices).map((sort, index) => [`#notice${index}`, noticeAttribute(sort)]));
/** The paths of all notices; earlier versions wrote `notice`. */
const noticePaths = (kind: Kind) => ['notice', ...Object.keys(noticeNames(kind))].join(', ');

const removeOwnershipUpdate = (kind: Kind, expiresAt: number): Update => ({
  UpdateExpression: `SET expiresAt = :expiresAt REMOVE vmId, outbox, history, latest, repeatedAt, ${addressAttributes.join(', ')}, deleteRequested, #sequence, eventSequence, #state, ${noticePaths(kind)}`,
  ConditionExpression: 'attribute_exists(vmId)',
  ExpressionAttributeNames: { '#sequence': 'sequence', '#state': 'state', ...noticeNames(kind) },
  ExpressionAttributeValues: { ':expiresAt': expiresAt },
});

/** The gate (core/gate.ts) and the outbox in one write. `expiresAt` where this observation is the VM's last one. */
const recordUpdate = (
  kind: Kind,
  observation: Observation,
  status: UnpublishedStatus,
  expiresAt: number | undefined,
): Update => ({
  UpdateExpression: [
    `SET #sequence = :sequence, #state = :state, ${addNewStatus}${addresses.expression(observation)}`,
    ...(expiresAt === undefined ? [] : [', expiresAt = :expiresAt']),
    ' REMOVE eventSequence',
    ...(observation.state === kind.runningState ? [`, ${noticePaths(kind)}`] : []),
    ...(losesPublicAddress(kind, observation) ? [', publicAddress'] : []),
  ].join(''),
  ConditionExpression:
    'attribute_exists(vmId) AND #sequence < :sequence AND (attribute_not_exists(#state) OR NOT #state IN (:final, :state))',
  ExpressionAttributeNames: {
    '#sequence': 'sequence',
    '#state': 'state',
    '#key': status.key,
    ...(observation.state === kind.runningState && noticeNames(kind)),
  },
  ExpressionAttributeValues: {
    ':sequence': sequenceOf(kind, observation),
    ':state': observation.state,
    ':status': status,
    ':past': packed(kind, observation.resourceId, pastStatusOf(status)),
    ':final': finalState(kind),
    ...addresses.values(observation),
    ...(expiresAt !== undefined && { ':expiresAt': expiresAt }),
  },
});

/** The held state, seen again later. Of several events, the first one has its time. */
const moveGateUpdate = (kind: Kind, observation: Observation): Update => ({
  UpdateExpression: `SET #sequence = :sequence${observation.seenBy === 'event' ? ', eventSequence = if_not_exists(eventSequence, :sequence)' : ''}${addresses.expression(observation)}`,
  ConditionExpression: '#sequence < :sequence AND #state = :state',
  ExpressionAttributeNames: { '#sequence': 'sequence', '#state': 'state' },
  ExpressionAttributeValues: {
    ':sequence': sequenceOf(kind, observation),
    ':state': observation.state,
    ...addresses.values(observation),
  },
});

/** A stop releases the public address, and a start assigns another one. An Elastic IP address stays, and EC2 shows it again. */
const losesPublicAddress = (kind: Kind, { state, publicAddress }: Observation): boolean =>
  publicAddress === undefined && (state === kind.startingState || isStopped(kind, state));

const addressAttributes = [
  'privateAddress',
  'publicAddress',
  'getsPublicAddress',
  'isWindows',
  'ports',
  'apiEndpoint',
  'billedSize',
  'billedPlatform',
  'billedZone',
  'billedMarket',
] as const;

/** The addresses that were observed. An instance that had a public address once gets one at every start. */
const seenOf = (seen: Addresses) => {
  const { size: billedSize, platform: billedPlatform, zone: billedZone, market: billedMarket } = seen;
  const known = {
    ...{ ...seen, billedSize, billedPlatform, billedZone, billedMarket },
    ...(seen.publicAddress && { getsPublicAddress: true }),
  };
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

/** For an item that has not changed since `vm` was read. */
const readdressUpdate = (vm: Resource, seen: Addresses, status: UnpublishedStatus | undefined): Update => ({
  UpdateExpression: `SET vmId = vmId${addresses.expression(seen)}${status ? `, ${joinsHistory(vm, status) ? addNewStatus : addStatus}` : ''}`,
  ConditionExpression: stillHeld.condition(vm),
  ExpressionAttributeNames: { ...stillHeld.names(vm), ...(status && { '#key': status.key }) },
  ExpressionAttributeValues: {
    ...stillHeld.values(vm),
    ...addresses.values(seen),
    ...(status && { ':status': status }),
    ...(status &&
      joinsHistory(vm, status) && { ':past': packed(vm.kind, vm.resourceId, pastStatusOf(status)) }),
  },
});

/** isNewNotice (core/resource.ts), for an item that has not changed since `vm` was read. */
const notifyUpdate = (vm: Resource, notice: Notice, status: UnpublishedStatus | undefined): Update => {
  const isOnce = vm.kind.notices[notice.notice]?.isOnce === true;
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
      ...(status && { ':status': status, ':past': packed(vm.kind, vm.resourceId, pastStatusOf(status)) }),
    },
  };
};

/** isNewRepublication (core/resource.ts), for an item that has not changed since `vm` was read. */
const repeatUpdate = (vm: Resource, status: UnpublishedStatus): Update => ({
  UpdateExpression: `SET repeatedAt = :at, ${addStatus}`,
  ConditionExpression: `${stillHeld.condition(vm)} AND (attribute_not_exists(repeatedAt) OR repeatedAt < :at)`,
  ExpressionAttributeNames: { ...stillHeld.names(vm), '#key': status.key },
  ExpressionAttributeValues: { ...stillHeld.values(vm), ':status': status, ':at': status.republishedAt },
});

/** Sets another DCM id in an item that has not changed since `vm` was read. */
const moveUpdate = (vm: Resource, dcmId: string, status: UnpublishedStatus | undefined): Update => ({
  UpdateExpression: `SET vmId = :vmId, outbox = :outbox${status ? ', latest = :status' : ''} REMOVE deleteRequested, repeatedAt`,
  ConditionExpression: `${stillHeld.condition(vm)} AND vmId = :former`,
  ExpressionAttributeNames: stillHeld.names(vm),
  ExpressionAttributeValues: {
    ...stillHeld.values(vm),
    ':vmId': dcmId,
    ':former': vm.dcmId,
    ':outbox': status ? { [status.key]: status } : {},
    ...(status && { ':status': status }),
  },
});

const addStatus = 'latest = :status, outbox.#key = :status';
const addNewStatus = `${addStatus}, history.#key = :past`;

/** The condition that neither state nor last status has changed since `vm` was read. */
const stillHeld = {
  condition: ({ latest }: Resource) =>
    `attribute_exists(vmId) AND #sequence = :sequence AND ${latest ? 'latest.#id = :latest' : 'attribute_not_exists(latest)'}`,
  names: ({ latest }: Resource) => ({ '#sequence': 'sequence', ...(latest && { '#id': 'id' }) }),
  values: ({ sequence, latest }: Resource) => ({
    ':sequence': sequence,
    ...(latest && { ':latest': latest.id }),
  }),
};

/**
 * So many paths, of at most 15 bytes each, stay below DynamoDB's limits of 4,096 bytes and 300 operators in an expression.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters
 */
const maximumPaths = 200;

/** One update, or several where DynamoDB's limits require it; each leaves a readable item. */
const settleUpdates = (
  { outbox, history }: Pick<Resource, 'outbox' | 'history'>,
  keys: readonly string[],
  { keep, forwarded }: Forwarding = { keep: [], forwarded: [] },
): Update[] => {
  const settled = new Set(keys);
  const unpublished = outbox.flatMap(({ key }) => (settled.has(key) ? [] : [key]));
  const removed = [
    ...[...settled].map((key) => ({ map: 'outbox.', key })),
    ...surplusOf(history, unpublished).map((key) => ({ map: 'history.', key })),
    ...forwarded.map((key) => ({ map: '', key: `${unforwardedPrefix}${key}` })),
  ];
  const portions = Array.from({ length: Math.ceil(removed.length / maximumPaths) }, (_, index) =>
    removed.slice(index * maximumPaths, (index + 1) * maximumPaths),
  );
  const kept = keep.map((status) => ({ key: `${unforwardedPrefix}${status.key}`, status }));
  const [first = [], ...others] = portions;
  return [keepUpdate(first, kept), ...others.map((portion) => keepUpdate(portion, []))];
};

/** Kept in the write that removes from the outbox, so that a status is always in one of both. */
const keepUpdate = (
  removed: readonly { readonly map: string; readonly key: string }[],
  kept: readonly { readonly key: string; readonly status: UnforwardedStatus }[],
): Update => ({
  UpdateExpression: [
    ...(kept.length > 0 ? [`SET ${kept.map((_, index) => `#s${index} = :s${index}`).join(', ')}`] : []),
    ...(removed.length > 0
      ? [`REMOVE ${removed.map(({ map }, index) => `${map}#k${index}`).join(', ')}`]
      : []),
  ].join(' '),
  ConditionExpression: 'attribute_exists(vmId)',
  ExpressionAttributeNames: Object.fromEntries([
    ...removed.map(({ key }, index) => [`#k${index}`, key]),
    ...kept.map(({ key }, index) => [`#s${index}`, key]),
  ]),
  ...(kept.length > 0 && {
    ExpressionAttributeValues: Object.fromEntries(
      kept.map(({ status }, index) => [`:s${index}`, definedOf(status)]),
    ),
  }),
});

/** DynamoDB's client refuses undefined members. */
const definedOf = (status: UnforwardedStatus) =>
  Object.fromEntries(Object.entries(status).filter(([, value]) => value !== undefined));
