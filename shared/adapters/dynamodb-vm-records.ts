import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { UnavailableError } from '../domain/errors.ts';
import { factsOf, isAssigned, refuseDeleted, type VmRecord } from '../domain/vm-record.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { LaunchedVm, VmRecords } from '../ports/vm-records.ts';
import { dynamoDbVmIndex } from './dynamodb-vm-records-index.ts';
import { creationOf, deletionOf, keyOf, recordOf } from './dynamodb-vm-records-item.ts';
import * as change from './dynamodb-vm-records-updates.ts';

const secondsPerDay = 86_400;
/**
 * Of creations that led to no instance, deletions and VMs that ended. As long as the fleet remembers an instance; EC2 remembers a client
 * token for 24 hours after it, and DCM's streams keep a request for 72.
 */
const keepDays = 7;

/** VM records in the fleet's table: single conditional updates, and a read after a refused one. */
export const dynamoDbVmRecords = (
  client: DynamoDBDocumentClient,
  table: string,
  log: Pick<Log, 'error'>,
  now: Clock = Date.now,
): VmRecords => {
  const times = (): change.Times => ({
    nowMs: now(),
    expiresAt: Math.floor(now() / 1000) + keepDays * secondsPerDay,
  });

  /** The item after the change, or undefined where its condition refused it. */
  const update = async (vmId: string, made: change.Change) => {
    try {
      return (await client.send(new UpdateCommand({ TableName: table, Key: keyOf(vmId), ...updateOf(made) })))
        .Attributes;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw unavailable(error, `write the record of ${vmId}`);
    }
  };

  const readItem = async (vmId: string): Promise<Record<string, unknown> | undefined> => {
    const command = new GetCommand({ TableName: table, Key: keyOf(vmId), ConsistentRead: true });
    const { Item } = await client.send(command).catch((error: unknown) => {
      throw unavailable(error, `read the record of ${vmId}`);
    });
    return Item;
  };
  const read = async (vmId: string): Promise<VmRecord | undefined> => recordOf(await readItem(vmId));

  return {
    read,

    async begin(beginning) {
      const { vmId, after } = beginning;
      const made = after ? change.beginAfter(beginning, after, times()) : change.begin(beginning, times());
      const begun = recordOf(await update(vmId, made));
      if (begun) return { outcome: 'begun', record: begun };
      const item = await readItem(vmId);
      const held = recordOf(item);
      if (held) return { outcome: 'held', record: held };
      refuseDeleted({ vmId, ...deletionOf(item) }, beginning.request);
      throw changedMeanwhile(vmId);
    },

    attempt: async (mine, launch, attempt) =>
      recordOf(await update(mine.vmId, change.attempt(mine, launch, attempt, now()))),

    launched: async (mine, vm) => recordOf(await update(mine.vmId, change.launched(mine, vm, now()))),

    async abandon(mine) {
      await update(mine.vmId, change.abandon(mine, times().expiresAt));
    },

    async adopt(vm) {
      const held = await read(vm.vmId);
      const isKnown = held?.instanceId === vm.instanceId;
      if (held && isAssigned(held, vm)) return isKnown ? 'known' : 'another';
      if (await update(vm.vmId, isKnown ? change.revive(vm) : adoption(vm, held, now()))) return 'adopted';
      throw changedMeanwhile(vm.vmId);
    },

    async requestDelete(vmId) {
      const request = async () => recordOf(await update(vmId, change.requestDelete(now())));
      const marked = await request();
      if (marked) return marked;
      if (await update(vmId, change.noteDeletion(times()))) return undefined;
      const begunMeanwhile = await request();
      if (begunMeanwhile) return begunMeanwhile;
      throw changedMeanwhile(vmId);
    },

    creation: async (vmId) => creationOf(await readItem(vmId)),

    async fail(vmId, seen, status) {
      return (await update(vmId, change.fail(seen, status, times()))) && status;
    },

    async failurePublished(vmId, statusId) {
      await update(vmId, change.failurePublished(statusId, now()));
    },

    async withdrawDelete(vmId) {
      await update(vmId, change.withdrawDelete);
    },

    async end(vmId, instanceId) {
      await update(vmId, change.end(instanceId, times()));
    },

    ...dynamoDbVmIndex(client, table, log),
  };
};

const adoption = (vm: LaunchedVm, held: VmRecord | undefined, nowMs: number): change.Change => {
  const found: LaunchedVm = { ...vm, facts: factsOf(held, vm.facts) };
  return held?.endedAtMs ? change.adoptAfter(found, held, nowMs) : change.adopt(found, nowMs);
};

const updateOf = ({ set = {}, remove = [], when, values = {} }: change.Change) => {
  const assignments = Object.entries(set).map(([attribute, value]) => `${attribute} = ${value}`);
  const UpdateExpression = [
    ...(assignments.length > 0 ? [`SET ${assignments.join(', ')}`] : []),
    ...(remove.length > 0 ? [`REMOVE ${remove.join(', ')}`] : []),
  ].join(' ');
  const named = Object.entries(values).map(([name, value]) => [`:${name}`, value] as const);
  return {
    UpdateExpression,
    ConditionExpression: when,
    ReturnValues: 'ALL_NEW' as const,
    ...(UpdateExpression.includes('#region') && { ExpressionAttributeNames: { '#region': 'region' } }),
    ...(named.length > 0 && { ExpressionAttributeValues: Object.fromEntries(named) }),
  };
};

const changedMeanwhile = (vmId: string) =>
  new UnavailableError(`the record of ${vmId} changed meanwhile; try it again`);

const unavailable = (cause: unknown, what: string): UnavailableError =>
  new UnavailableError(`the fleet table did not ${what}`, { cause });
