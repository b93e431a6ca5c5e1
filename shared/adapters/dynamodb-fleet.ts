import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { UnavailableError } from '../domain/errors.ts';
import { isNews, sequenceOf } from '../domain/gate.ts';
import { isNoticeNews, isRepeatNews } from '../domain/vm.ts';
import { changesOutputs } from '../domain/vm-outputs.ts';
import type { Clock } from '../ports/clock.ts';
import type { Fleet, Recollection, Recorded } from '../ports/fleet.ts';
import { batchGet } from './dynamodb/batch-get.ts';
import { recollectionOf, vmOf } from './dynamodb-fleet-item.ts';
import {
  claimUpdate,
  disclaimUpdate,
  moveGateUpdate,
  moveUpdate,
  notifyUpdate,
  readdressUpdate,
  recordUpdate,
  releaseUpdate,
  repeatUpdate,
  requestDeleteUpdate,
  settleUpdates,
  type Update,
} from './dynamodb-fleet-updates.ts';

const secondsPerDay = 86_400;
/** A terminated VM is remembered this long, so that late duplicates and redriven messages still find the gate shut. */
const keepTerminatedDays = 7;
const keepForeignDays = 1;

/**
 * The fleet in one DynamoDB table, one item an instance. Works the same on AWS, dynalite and moto: single conditional updates, a read
 * after a refused one, no transactions, no streams, and time to live checked here as well, for DynamoDB deletes late.
 */
export const dynamoDbFleet = (
  client: DynamoDBDocumentClient,
  table: string,
  now: Clock = Date.now,
): Fleet => {
  const inDays = (days: number) => Math.floor(now() / 1000) + days * secondsPerDay;

  /** The item after the update, or undefined where its condition refused it. */
  const update = async (instanceId: string, change: Update) => {
    const command = {
      TableName: table,
      Key: { pk: instanceId },
      ReturnValues: 'ALL_NEW',
      ...change,
    } as const;
    try {
      return (await client.send(new UpdateCommand(command))).Attributes ?? {};
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw unavailable(error, `write ${instanceId}`);
    }
  };

  /** The item as all writes so far have left it: what a refused one found. */
  const asHeld = async (instanceId: string): Promise<Recorded> => {
    const command = new GetCommand({ TableName: table, Key: { pk: instanceId }, ConsistentRead: true });
    const { Item } = await client.send(command).catch((error: unknown) => {
      throw unavailable(error, `read ${instanceId}`);
    });
    const held = recollectionOf(Item, now());
    if (held.owner === 'unreadable') throw held.error;
    return held.owner === 'us' ? { outcome: 'stale', vm: held.vm } : { outcome: 'unknown' };
  };

  return {
    async recall(instanceIds) {
      const found = new Map<string, Recollection>(instanceIds.map((id) => [id, { owner: 'unknown' }]));
      const refuse = (cause: unknown) => {
        throw unavailable(cause, `read ${found.size} instances`);
      };
      for (const item of await batchGet({ client, table, unavailable: refuse }, found.keys()))
        found.set(String(item.pk), recollectionOf(item, now()));
      return found;
    },

    async ended({ region, since, token }) {
      const command = new ScanCommand({
        TableName: table,
        FilterExpression:
          '#region = :region AND #state = :terminated AND #sequence >= :since AND attribute_exists(vmId)',
        ProjectionExpression: 'pk, account',
        ExpressionAttributeNames: { '#region': 'region', '#state': 'state', '#sequence': 'sequence' },
        ExpressionAttributeValues: {
          ':region': region,
          ':terminated': 'terminated',
          ':since': sequenceOf({ at: since, state: 'pending' }),
        },
        ...(token !== undefined && { ExclusiveStartKey: { pk: token } }),
      });
      const { Items = [], LastEvaluatedKey } = await client.send(command).catch((error: unknown) => {
        throw unavailable(error, `list the VMs of ${region} that have ended`);
      });
      const vms = Items.map(({ pk, account }) => ({ instanceId: String(pk), account: String(account) }));
      return { vms, next: LastEvaluatedKey && String(LastEvaluatedKey.pk) };
    },

    async reread(instanceId) {
      const held = await asHeld(instanceId);
      return held.outcome === 'unknown' ? held : { outcome: 'unchanged', vm: held.vm };
    },

    async claim(claim) {
      await update(claim.instanceId, claimUpdate(claim));
    },

    async move(vm, vmId, status) {
      const moved = await update(vm.instanceId, moveUpdate(vm, vmId, status));
      if (moved) return vmOf(moved);
      throw new UnavailableError(`${vm.instanceId} changed while it was given another DCM id; try it again`);
    },

    async disclaim(instanceIds, duplicateOf) {
      const change = disclaimUpdate(inDays(keepForeignDays), duplicateOf);
      await Promise.all(instanceIds.map((id) => update(id, change)));
    },

    async requestDelete(instanceId) {
      await update(instanceId, requestDeleteUpdate);
    },

    async release(instanceId) {
      await update(instanceId, releaseUpdate(inDays(keepForeignDays)));
    },

    async record(observation, status) {
      const { instanceId, state } = observation;
      const expiresAt = state === 'terminated' ? inDays(keepTerminatedDays) : undefined;
      const recorded = await update(instanceId, recordUpdate(observation, status, expiresAt));
      if (recorded) return { outcome: 'accepted', vm: vmOf(recorded) };

      const held = await asHeld(instanceId);
      if (held.outcome !== 'stale' || held.vm.state !== state || !isNews(held.vm, observation)) return held;
      const isToBePublished = changesOutputs(held.vm, observation);
      const moved = isToBePublished ? undefined : await update(instanceId, moveGateUpdate(observation));
      if (moved) return { outcome: 'unchanged', vm: vmOf(moved) };
      throw new UnavailableError(`${instanceId} changed while its state was recorded; try it again`);
    },

    async notify(vm, notice, status) {
      const noted = await update(vm.instanceId, notifyUpdate(vm, notice, status));
      if (noted) return { outcome: 'accepted', vm: vmOf(noted) };

      const held = await asHeld(vm.instanceId);
      if (held.outcome !== 'stale' || !isNoticeNews(held.vm, notice)) return held;
      throw new UnavailableError(`${vm.instanceId} changed while a notice was recorded; try it again`);
    },

    async readdress(vm, seen, status) {
      const readdressed = await update(vm.instanceId, readdressUpdate(vm, seen, status));
      if (readdressed) return { outcome: status ? 'accepted' : 'unchanged', vm: vmOf(readdressed) };
      if ((await asHeld(vm.instanceId)).outcome === 'unknown') return { outcome: 'unknown' };
      throw new UnavailableError(`${vm.instanceId} changed while its addresses were recorded; try it again`);
    },

    async repeat(vm, status) {
      const repeated = await update(vm.instanceId, repeatUpdate(vm, status));
      if (repeated) return { outcome: 'accepted', vm: vmOf(repeated) };

      const held = await asHeld(vm.instanceId);
      if (held.outcome !== 'stale' || !isRepeatNews(held.vm, { at: status.republishedAt ?? status.at }))
        return held;
      throw new UnavailableError(`${vm.instanceId} changed while its status was repeated; try it again`);
    },

    async settle(vm, keys) {
      let settled: Record<string, unknown> | undefined;
      for (const change of settleUpdates(vm, keys)) {
        settled = await update(vm.instanceId, change);
        if (settled === undefined) return undefined;
      }
      return settled && vmOf(settled);
    },
  };
};

const unavailable = (cause: unknown, what: string): UnavailableError =>
  new UnavailableError(`the fleet table did not ${what}`, { cause });
