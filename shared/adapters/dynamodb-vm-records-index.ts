import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { UnavailableError, UnreadableError } from '../domain/errors.ts';
import type { VmRecord } from '../domain/vm-record.ts';
import type { Log } from '../ports/log.ts';
import type { VmRecords } from '../ports/vm-records.ts';
import { recordOf } from './dynamodb-vm-records-item.ts';

/** In it is every record with a `listedIn`: hash `listedIn`, sort `vmId`. No change of a VM's state writes it. */
const index = 'vms-by-region';

/** A region's records, by the table's global secondary index, which lags behind by a moment. */
export const dynamoDbVmIndex = (
  client: DynamoDBDocumentClient,
  table: string,
  log: Pick<Log, 'error'>,
): Pick<VmRecords, 'list' | 'count'> => {
  const query = (region: string, more: Partial<QueryCommand['input']>) =>
    client
      .send(
        new QueryCommand({
          TableName: table,
          IndexName: index,
          KeyConditionExpression: 'listedIn = :region',
          ExpressionAttributeValues: { ':region': region },
          ...more,
        }),
      )
      .catch((cause: unknown) => {
        throw new UnavailableError(`the fleet table did not list the VMs of ${region}`, { cause });
      });

  /** A record that cannot be read is left out of a listing, not the end of it. */
  const readable = (item: Record<string, unknown>): VmRecord[] => {
    try {
      const record = recordOf(item);
      return record ? [record] : [];
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error;
      log.error('a VM is missing from a listing', { vmId: item.vmId, error });
      return [];
    }
  };

  const countFrom = async (region: string, start?: Record<string, unknown>): Promise<number> => {
    const { Count = 0, LastEvaluatedKey } = await query(region, {
      Select: 'COUNT',
      // one that is still being planned must not count itself
      FilterExpression:
        'attribute_not_exists(deleteRequestedAtMs) AND (attribute_exists(instanceId) OR attribute_exists(launch))',
      ...(start && { ExclusiveStartKey: start }),
    });
    return Count + (LastEvaluatedKey ? await countFrom(region, LastEvaluatedKey) : 0);
  };

  return {
    async list(region, after, limit) {
      const { Items = [], LastEvaluatedKey } = await query(region, {
        Limit: limit + 1, // so that the last page is known to be the last
        ...(after && {
          KeyConditionExpression: 'listedIn = :region AND vmId > :after',
          ExpressionAttributeValues: { ':region': region, ':after': after },
        }),
      });
      const page = Items.slice(0, limit);
      const last = Items.length > limit || LastEvaluatedKey ? page.at(-1)?.vmId : undefined;
      return { records: page.flatMap(readable), last: last === undefined ? undefined : String(last) };
    },
    count: (region) => countFrom(region),
  };
};
