import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import { NotFoundError, reasonOf, UnavailableError, UnreadableError } from '../../core/errors.ts';
import {
  type Creation,
  type Facts,
  isKeptElsewhere,
  isTaken,
  RecordHead,
  type ResourceRecord,
  refuseDeleted,
  refuseElsewhere,
  refuseKept,
} from '../../core/record.ts';
import type { UnpublishedStatus } from '../../core/resource.ts';
import { listingKey, type Target, targetKey, targetOfKey } from '../../core/target.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Beginning, LaunchedResource, RecordFormat, Records } from '../../ports/records.ts';
import type { Log } from '../../ports/telemetry.ts';
import { tableError } from './errors.ts';
import { refuseNewerFormat, withFormat } from './format.ts';
import { storedStatus } from './resource-store.ts';

const secondsPerDay = 86_400;
/**
 * How long the records of failed creations, deletions and ended VMs are kept: as long as the resource store keeps an ended instance. EC2
 * keeps a client token for 24 hours after its instance, and DCM's streams keep a request for 72.
 */
const keepDays = 7;

/** The records of one service type in the DynamoDB table: single conditional updates, and a read after a refused one. */
export const dynamoDbRecords = <Launch, Known extends Facts>(
  client: DynamoDBDocumentClient,
  table: string,
  format: RecordFormat<Launch, Known>,
  log: Pick<Log, 'error'>,
  now: Clock = Date.now,
): Records<Launch, Known> => {
  const { recordOf, creationOf } = recordReader(format);
  /** No resource id begins with such a key. */
  const keyOf = (dcmId: string) => ({ pk: `${format.kind.serviceType}#${dcmId}` });
  /** The records of each service type are listed apart. */
  const indexed = ({ values = {}, ...made }: Change): Change => {
    const { listedIn, ...rest } = values;
    return typeof listedIn === 'string'
      ? { ...made, values: { ...rest, listedIn: keyIn(targetOfKey(listedIn)) } }
      : { ...made, values };
  };
  const keyIn = (target: Target) => listingKey({ ...target, serviceType: format.kind.serviceType });
  const times = (): Times => ({
    nowMs: now(),
    expiresAt: Math.floor(now() / 1000) + keepDays * secondsPerDay,
  });

  /** The item after the change, or undefined where its condition refused it. */
  const update = async (dcmId: string, made: Change) => {
    try {
      return (
        await client.send(
          new UpdateCommand({ TableName: table, Key: keyOf(dcmId), ...withFormat(updateOf(indexed(made))) }),
        )
      ).Attributes;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw tableError(error, `the DynamoDB table did not write the record of ${dcmId}`);
    }
  };

  const readItem = async (dcmId: string): Promise<Record<string, unknown> | undefined> => {
    const command = new GetCommand({ TableName: table, Key: keyOf(dcmId), ConsistentRead: true });
    const { Item } = await client.send(command).catch((error: unknown) => {
      throw tableError(error, `the DynamoDB table did not read the record of ${dcmId}`);
    });
    return Item;
  };
  const read = async (dcmId: string): Promise<ResourceRecord<Launch, Known> | undefined> =>
    recordOf(await readItem(dcmId));

  const isElsewhere = async (dcmId: string, target: Target): Promise<boolean> => {
    const item = await readItem(dcmId);
    const held = recordOf(item);
    const region = targetKey(target);
    return held ? held.region !== region : isKeptElsewhere(vacancyOf(item), { region });
  };

  return {
    read,

    async begin(beginning) {
      const { dcmId, after } = beginning;
      const made = after ? beginAfterUpdate(beginning, after, times()) : beginUpdate(beginning, times());
      const begun = recordOf(await update(dcmId, made));
      if (begun) return { outcome: 'begun', record: begun };
      const item = await readItem(dcmId);
      const held = recordOf(item);
      if (held && beginning.thereAlone) refuseElsewhere(held, targetOfKey(beginning.region));
      if (!held && beginning.thereAlone) refuseKept({ dcmId, ...vacancyOf(item) }, beginning);
      if (held) return { outcome: 'held', record: held };
      refuseDeleted({ dcmId, deletedAtMs: lastDeletion(item, beginning.region) }, beginning.request);
      throw changedMeanwhile(dcmId);
    },

    attempt: async (mine, launch, attempt) =>
      recordOf(await update(mine.dcmId, attemptUpdate(mine, launch, attempt, now()))),

    launched: async (mine, vm) => recordOf(await update(mine.dcmId, launchedUpdate(mine, vm, now()))),

    async abandon(mine) {
      await update(mine.dcmId, abandonUpdate(mine, times().expiresAt));
    },

    async adopt(vm) {
      const item = await readItem(vm.dcmId);
      const held = recordOf(item);
      const isKnown = held?.resourceId === vm.resourceId;
      if (isTaken(held, vacancyOf(item), vm)) return isKnown ? 'known' : 'another';
      if (
        await update(
          vm.dcmId,
          isKnown
            ? reviveUpdate(vm)
            : adoption({ ...vm, facts: format.factsOf(held, vm.facts) }, held, now()),
        )
      )
        return 'adopted';
      throw changedMeanwhile(vm.dcmId);
    },

    async requestDelete(dcmId, target) {
      const request = async () => recordOf(await update(dcmId, requestDeleteUpdate(now(), target)));
      const marked = await request();
      if (marked) return marked;
      if (await update(dcmId, noteDeletionUpdate(times(), target))) return undefined;
      const begunMeanwhile = await request();
      if (begunMeanwhile) return begunMeanwhile;
      if (target && (await isElsewhere(dcmId, target)))
        throw new NotFoundError(`${dcmId} is not in this target`);
      throw changedMeanwhile(dcmId);
    },

    creation: async (dcmId, target) => creationOf(await readItem(dcmId), target),

    async fail(dcmId, seen, status) {
      return (await update(dcmId, failUpdate(seen, status, times()))) && status;
    },

    async failurePublished(dcmId, statusId) {
      await update(dcmId, failurePublishedUpdate(statusId, now()));
    },

    async withdrawDelete(dcmId) {
      await update(dcmId, withdrawDeleteUpdate);
    },

    async end(dcmId, resourceId) {
      await update(dcmId, endUpdate(resourceId, times()));
    },

    ...recordIndex({ client, table, recordOf, keyIn, log }),
  };
};

const adoption = (vm: LaunchedResource, held: ResourceRecord | undefined, nowMs: number): Change => {
  return held?.endedAtMs ? adoptAfterUpdate(vm, held, nowMs) : adoptUpdate(vm, nowMs);
};

const updateOf = ({ set = {}, remove = [], when, values = {}, deletedHere = 'deletedAtMs' }: Change) => {
  const assignments = Object.entries(set).map(([attribute, value]) => `${attribute} = ${value}`);
  const UpdateExpression = [
    ...(assignments.length > 0 ? [`SET ${assignments.join(', ')}`] : []),
    ...(remove.length > 0 ? [`REMOVE ${remove.join(', ')}`] : []),
  ].join(' ');
  const named = Object.entries(values).map(([name, value]) => [`:${name}`, value] as const);
  const attributes = { '#region': 'region', '#deletedHere': deletedHere };
  const names = Object.entries(attributes).filter(([name]) =>
    [UpdateExpression, when].some((text) => text.includes(name)),
  );
  return {
    UpdateExpression,
    ConditionExpression: when,
    ReturnValues: 'ALL_NEW' as const,
    ...(names.length > 0 && { ExpressionAttributeNames: Object.fromEntries(names) }),
    ...(named.length > 0 && { ExpressionAttributeValues: Object.fromEntries(named) }),
  };
};

const changedMeanwhile = (dcmId: string) =>
  new UnavailableError(`the record of ${dcmId} changed meanwhile; try it again`);

const Vacancy = z.object({ keptFor: z.optional(z.string()) });

/** The target that the id is kept for; also where the item is not a record. */
const vacancyOf = (item: Record<string, unknown> | undefined): z.infer<typeof Vacancy> =>
  Vacancy.safeParse(item).data ?? {};

/**
 * The attribute of a deletion that had nothing to delete: it counts in its target alone. `deletedAtMs` is that of a deletion of a resource, or
 * without a target.
 */
const deletedIn = (region: string): string => `deletedAtMs#${region}`;

/** When the id was last deleted, as requests in a target see it. @throws ZodError where the item makes no sense. */
const lastDeletion = (item: Record<string, unknown> = {}, region: unknown): number | undefined => {
  const times = [item.deletedAtMs, item[deletedIn(String(region))]].flatMap(
    (time) => z.optional(z.int()).parse(time) ?? [],
  );
  return times.length === 0 ? undefined : Math.max(...times);
};

const recordReader = <Launch, Known extends Facts>({ kind, launch, facts }: RecordFormat<Launch, Known>) => {
  /**
   * Undefined where the item only keeps the generation of a creation that was refused.
   * @throws UnreadableError where the item was not written by this file, UnavailableError where it has a newer format.
   */
  const recordOf = (item: Record<string, unknown> | undefined): ResourceRecord<Launch, Known> | undefined => {
    refuseNewerFormat(item);
    if (item === undefined || isVacant(item)) return undefined;
    try {
      const { vmId: dcmId, instanceId: resourceId, turn: leaseNumber, ...rest } = item;
      const deletedAtMs = lastDeletion(item, item.region);
      const head = RecordHead.parse({ dcmId, resourceId, leaseNumber, ...rest, deletedAtMs });
      const failure = parsed(storedStatus(kind), item.failure);
      return {
        ...head,
        ...{ launch: parsed(launch, item.launch), facts: parsed(facts, item.facts) },
        ...(failure && { failure }),
      };
    } catch (cause) {
      throw new UnreadableError(`the record ${item.pk} makes no sense: ${reasonOf(cause)}`, { cause });
    }
  };

  const CreationItem = z.object({
    turn: z.optional(z.int()),
    deletedAtMs: z.optional(z.int()),
    attemptedAtMs: z.optional(z.int()),
    failure: z.optional(z.pipe(json, storedStatus(kind))),
    failurePublishedAtMs: z.optional(z.int()),
  });

  /** @throws UnreadableError as recordOf. */
  const creationOf = (
    item: Record<string, unknown> | undefined,
    target: Target | undefined,
  ): Creation<Launch, Known> => {
    refuseNewerFormat(item);
    const { error, data } = CreationItem.safeParse({
      ...item,
      deletedAtMs: lastDeletion(item, target && targetKey(target)),
    });
    if (error)
      throw new UnreadableError(`the creation ${item?.pk} makes no sense: ${reasonOf(error)}`, {
        cause: error,
      });
    const { turn, deletedAtMs, attemptedAtMs, failure, failurePublishedAtMs } = data;
    const isPublished = failurePublishedAtMs !== undefined;
    return {
      record: recordOf(item),
      ...{ leaseNumber: turn, deletedAtMs, attemptedAtMs },
      failure: failure && { status: failure, isPublished },
    };
  };

  return { recordOf, creationOf };
};

const json = z.pipe(
  z.string(),
  z.transform((text): unknown => JSON.parse(text)),
);

/** Plan and facts are stored as JSON, because no expression uses a part of them. */
const parsed = <Value>(schema: z.ZodMiniType<Value>, text: unknown): Value | undefined =>
  text === undefined ? undefined : schema.parse(json.parse(text));

const isVacant = (item: Record<string, unknown>): boolean =>
  item.instanceId === undefined && item.leaseUntilMs === undefined;

/** One conditional UpdateItem of a record: attributes and their new values, as DynamoDB expressions. */
export type Change = {
  readonly set?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
  readonly when: string;
  readonly values?: Readonly<Record<string, unknown>>;
  /** The attribute that is `#deletedHere` in expressions. @default 'deletedAtMs' */
  readonly deletedHere?: string;
};

/** Milliseconds since 1970, and the time to live in seconds. */
export type Times = { readonly nowMs: number; readonly expiresAt: number };

const ofLaunch = ['leaseUntilMs', 'launch'];
const ofRequest = ['requestKey', 'specDigest'];
const ofInstance = ['instanceId', 'account', 'facts', 'adopted', 'deleteRequestedAtMs', 'endedAtMs'];
/** The attributes of the status FAILED; a new attempt removes them. */
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

/** An ended record keeps its region, too. */
const unlessElsewhere = ({ thereAlone }: Beginning): string =>
  thereAlone ? ' AND (attribute_not_exists(#region) OR #region = :region)' : '';

/** An id without a record may be kept for another account. */
const unlessKept = ({ thereAlone, region }: Beginning) => {
  const { when, values } = unlessOfAnotherAccount({ region }, 'keptFor');
  return thereAlone ? { when: ` AND ${when}`, values } : { when: '', values: {} };
};

const unlessDeleted = ({ request }: Beginning): string =>
  request === undefined
    ? ''
    : ' AND attribute_not_exists(deletedAtMs) AND attribute_not_exists(#deletedHere)';

/** Where no other caller has the lease of the creation. A region that was chosen before stays: an instance may be there. */
const beginUpdate = (beginning: Beginning, times: Times): Change => ({
  set: {
    vmId: ':vmId',
    '#region': 'if_not_exists(#region, :region)',
    listedIn: 'if_not_exists(listedIn, :listedIn)',
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
  remove: [...ofFailure, 'keptFor'],
  when: `attribute_not_exists(instanceId) AND attribute_not_exists(deleteRequestedAtMs) AND (attribute_not_exists(leaseUntilMs) OR leaseUntilMs <= :now)${unlessDeleted(beginning)}${unlessElsewhere(beginning)}${unlessKept(beginning).when}`,
  deletedHere: deletedIn(beginning.region),
  values: {
    ...unlessKept(beginning).values,
    vmId: beginning.dcmId,
    region: beginning.region,
    listedIn: beginning.region,
    ...requestValues(beginning),
    ...lease(beginning, times),
  },
});

/** Where the record is still that of the VM that has ended. */
const beginAfterUpdate = (beginning: Beginning, gone: ResourceRecord, times: Times): Change => ({
  set: {
    '#region': ':region',
    listedIn: ':listedIn',
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
  when: `turn = :turn AND instanceId = :instanceId${unlessDeleted(beginning)}${unlessElsewhere(beginning)}`,
  deletedHere: deletedIn(beginning.region),
  values: {
    region: beginning.region,
    listedIn: beginning.region,
    ...requestValues(beginning),
    turn: gone.leaseNumber,
    instanceId: gone.resourceId,
    ...lease(beginning, times),
  },
});

const isLeaseHeld = 'turn = :turn AND attribute_exists(leaseUntilMs)';

const attemptUpdate = (
  { leaseNumber }: ResourceRecord,
  launch: unknown,
  number: number,
  nowMs: number,
): Change => ({
  set: { launch: ':launch', attempt: ':attempt', updatedAtMs: ':now' },
  when: isLeaseHeld,
  values: { turn: leaseNumber, launch: JSON.stringify(launch), attempt: number, now: nowMs },
});

const noteInstance = { instanceId: ':instanceId', account: ':account', facts: ':facts', updatedAtMs: ':now' };
const instanceValues = ({ resourceId, account, facts }: LaunchedResource, nowMs: number) => ({
  instanceId: resourceId,
  account,
  facts: JSON.stringify(facts),
  now: nowMs,
});

/**
 * Generation and attempt make the client token: every caller with this token got this instance from EC2, also after another caller has
 * taken over. This no longer holds once the next attempt was begun.
 */
const launchedUpdate = (mine: ResourceRecord, vm: LaunchedResource, nowMs: number): Change => ({
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

/** Keeps the generation, so that the next VM with this id is launched with another client token, and whose account's the id is. */
const abandonUpdate = ({ leaseNumber }: ResourceRecord, expiresAt: number): Change => ({
  set: {
    ...{ generation: 'generation + :one', attempt: ':zero', expiresAt: ':expiresAt' },
    keptFor: '#region',
  },
  remove: [
    '#region',
    'listedIn',
    'createdAtMs',
    'updatedAtMs',
    'deleteRequestedAtMs',
    ...ofRequest,
    ...ofLaunch,
  ],
  when: isLeaseHeld,
  values: { turn: leaseNumber, expiresAt, ...counters },
});

/** `adopted` of this instance; where it is unknown, the value of the instance before is removed. */
const origin = ({ adopted }: LaunchedResource) => ({
  set: adopted === undefined ? {} : { adopted: ':adopted' },
  remove: adopted === undefined ? ['adopted'] : [],
  values: adopted === undefined ? {} : { adopted },
});

/** A record can be made for an id in another account after it was read as absent. */
const unlessOfAnotherAccount = (
  { region }: Pick<ResourceRecord, 'region'>,
  attribute: '#region' | 'keptFor',
) => {
  const { account } = targetOfKey(region);
  const isThere =
    account === undefined
      ? `NOT contains(${attribute}, :itsAccount)`
      : `begins_with(${attribute}, :itsAccount)`;
  return {
    when: `(attribute_not_exists(${attribute}) OR ${isThere})`,
    values: { itsAccount: account === undefined ? '/' : `${account}/` },
  };
};

/** Where there is no record, or one without an instance; during a lease only for an instance that we launched. */
const adoptUpdate = (vm: LaunchedResource, nowMs: number): Change => ({
  set: {
    ...noteInstance,
    ...origin(vm).set,
    vmId: ':vmId',
    '#region': ':region',
    listedIn: ':listedIn',
    generation: orZero('generation'),
    attempt: orZero('attempt'),
    turn: orZero('turn'),
    createdAtMs: 'if_not_exists(createdAtMs, :now)',
  },
  remove: [...ofLaunch, ...origin(vm).remove, 'expiresAt', 'keptFor'],
  when: [
    'attribute_not_exists(instanceId)',
    ...(vm.adopted ? ['attribute_not_exists(leaseUntilMs)'] : []),
    unlessOfAnotherAccount(vm, '#region').when,
    unlessOfAnotherAccount(vm, 'keptFor').when,
  ].join(' AND '),
  values: {
    ...instanceValues(vm, nowMs),
    ...origin(vm).values,
    ...unlessOfAnotherAccount(vm, '#region').values,
    vmId: vm.dcmId,
    region: vm.region,
    listedIn: vm.region,
    zero: 0,
  },
});

/** Where the VM that had the id has ended. */
const adoptAfterUpdate = (vm: LaunchedResource, gone: ResourceRecord, nowMs: number): Change => ({
  set: {
    ...noteInstance,
    ...origin(vm).set,
    '#region': ':region',
    listedIn: ':listedIn',
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
    listedIn: vm.region,
    turn: gone.leaseNumber,
    gone: gone.resourceId,
    ...counters,
  },
});

/** Where the instance was recorded as ended, but its tags were only removed for a while. */
const reviveUpdate = ({ resourceId, region }: LaunchedResource): Change => ({
  set: { listedIn: ':listedIn' },
  remove: ['endedAtMs', 'expiresAt'],
  when: 'instanceId = :instanceId AND attribute_exists(endedAtMs)',
  values: { instanceId: resourceId, listedIn: region },
});

/** Where the creation has not changed since it was read, and no caller has the lease. Does not extend the week. */
const failUpdate = (
  { record, leaseNumber }: Creation,
  status: UnpublishedStatus,
  { nowMs, expiresAt }: Times,
): Change => ({
  set: {
    failure: ':failure',
    failureId: ':failureId',
    expiresAt: 'if_not_exists(expiresAt, :expiresAt)',
  },
  when: [
    leaseNumber === undefined ? 'attribute_not_exists(turn)' : 'turn = :turn',
    record?.resourceId === undefined ? 'attribute_not_exists(instanceId)' : 'instanceId = :instanceId',
    '(attribute_not_exists(leaseUntilMs) OR leaseUntilMs <= :now)',
    'attribute_not_exists(failureId)',
  ].join(' AND '),
  values: {
    failure: JSON.stringify(status),
    failureId: status.id,
    expiresAt,
    now: nowMs,
    ...(leaseNumber !== undefined && { turn: leaseNumber }),
    ...(record?.resourceId !== undefined && { instanceId: record.resourceId }),
  },
});

const failurePublishedUpdate = (statusId: string, nowMs: number): Change => ({
  set: { failurePublishedAtMs: ':now' },
  when: 'failureId = :failureId',
  values: { failureId: statusId, now: nowMs },
});

/** Without parentheses of its own: `withFormat` adds some, and DynamoDB refuses redundant ones. */
const isBegun = 'attribute_exists(instanceId) OR attribute_exists(leaseUntilMs)';

const requestDeleteUpdate = (nowMs: number, target: Target | undefined): Change => ({
  set: { deleteRequestedAtMs: 'if_not_exists(deleteRequestedAtMs, :now)', deletedAtMs: ':now' },
  when: target === undefined ? isBegun : `(${isBegun}) AND #region = :region`,
  values: { now: nowMs, ...(target && { region: targetKey(target) }) },
});

/**
 * Where there is no VM with this id, and no lease to create one. Nothing was deleted, so the id stays free for other targets. One that is kept
 * for another account is not there.
 */
const noteDeletionUpdate = ({ nowMs, expiresAt }: Times, target: Target | undefined): Change => {
  const region = target && targetKey(target);
  const unlessKept = region === undefined ? undefined : unlessOfAnotherAccount({ region }, 'keptFor');
  return {
    set: { '#deletedHere': ':now', expiresAt: ':expiresAt' },
    ...(region !== undefined && { deletedHere: deletedIn(region) }),
    when: [
      'attribute_not_exists(instanceId) AND attribute_not_exists(leaseUntilMs)',
      ...(unlessKept ? [unlessKept.when] : []),
    ].join(' AND '),
    values: { now: nowMs, expiresAt, ...unlessKept?.values },
  };
};

const withdrawDeleteUpdate: Change = {
  remove: ['deleteRequestedAtMs', 'deletedAtMs'],
  when: 'attribute_exists(deleteRequestedAtMs)',
};

const endUpdate = (resourceId: string, { nowMs, expiresAt }: Times): Change => ({
  set: { endedAtMs: ':now', expiresAt: ':expiresAt' },
  remove: ['listedIn'],
  when: 'instanceId = :instanceId AND attribute_not_exists(endedAtMs)',
  values: { instanceId: resourceId, now: nowMs, expiresAt },
});

/** Holds every record with a `listedIn`, the key of its service type and target (listingKey): hash `listedIn`, sort `vmId`. A VM's change of state never writes to it. */
const index = 'vms-by-region';

type Index<Launch, Known extends Facts> = {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  readonly recordOf: (item: Record<string, unknown>) => ResourceRecord<Launch, Known> | undefined;
  readonly keyIn: (target: Target) => string;
  readonly log: Pick<Log, 'error'>;
};

/** A target's records, by the table's global secondary index, which lags behind by a moment. */
const recordIndex = <Launch, Known extends Facts>({
  client,
  table,
  recordOf,
  keyIn,
  log,
}: Index<Launch, Known>): Pick<Records<Launch, Known>, 'list' | 'count' | 'deletionsRequested'> => {
  const query = (target: Target, more: Partial<QueryCommand['input']>) =>
    client
      .send(
        new QueryCommand({
          TableName: table,
          IndexName: index,
          KeyConditionExpression: 'listedIn = :target',
          ExpressionAttributeValues: { ':target': keyIn(target) },
          ...more,
        }),
      )
      .catch((cause: unknown) => {
        throw tableError(cause, `the DynamoDB table did not list the records of ${targetKey(target)}`);
      });

  /** A record that cannot be read is left out of the listing. */
  const readable = (item: Record<string, unknown>): ResourceRecord<Launch, Known>[] => {
    try {
      const record = recordOf(item);
      return record ? [record] : [];
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error;
      log.error('a VM is missing from a listing', { dcmId: item.vmId, error });
      return [];
    }
  };

  const countFrom = async (target: Target, start?: Record<string, unknown>): Promise<number> => {
    const { Count = 0, LastEvaluatedKey } = await query(target, {
      Select: 'COUNT',
      // a creation that is still being planned must not count itself
      FilterExpression:
        'attribute_not_exists(deleteRequestedAtMs) AND (attribute_exists(instanceId) OR attribute_exists(launch))',
      ...(start && { ExclusiveStartKey: start }),
    });
    return Count + (LastEvaluatedKey ? await countFrom(target, LastEvaluatedKey) : 0);
  };

  const deletionsFrom = async (
    target: Target,
    untilMs: number,
    start?: Record<string, unknown>,
  ): Promise<readonly string[]> => {
    const { Items = [], LastEvaluatedKey } = await query(target, {
      FilterExpression: 'deleteRequestedAtMs <= :until',
      ProjectionExpression: 'vmId',
      ExpressionAttributeValues: { ':target': keyIn(target), ':until': untilMs },
      ...(start && { ExclusiveStartKey: start }),
    });
    const ids = Items.map(({ vmId }) => String(vmId));
    return LastEvaluatedKey ? [...ids, ...(await deletionsFrom(target, untilMs, LastEvaluatedKey))] : ids;
  };

  return {
    async list(target, after, limit) {
      const { Items = [], LastEvaluatedKey } = await query(target, {
        Limit: limit + 1, // so that the last page is known to be the last
        ...(after && {
          KeyConditionExpression: 'listedIn = :target AND vmId > :after',
          ExpressionAttributeValues: { ':target': keyIn(target), ':after': after },
        }),
      });
      const page = Items.slice(0, limit);
      const last = Items.length > limit || LastEvaluatedKey ? page.at(-1)?.vmId : undefined;
      return { records: page.flatMap(readable), last: last === undefined ? undefined : String(last) };
    },
    count: (target) => countFrom(target),
    deletionsRequested: (target, untilMs) => deletionsFrom(target, untilMs),
  };
};
