import type { UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { UnavailableError } from '../../core/errors.ts';

/** The format of the items that this version writes, as the number in their attribute `format`. An item without it has format 1. */
const itemFormat = 1;

type Expressions = Pick<
  UpdateCommandInput,
  'UpdateExpression' | 'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
>;

/** Extends an update: it also sets the item's format, and its condition refuses an item of a newer format. */
export const withFormat = <Update extends Expressions>(update: Update): Update => {
  const { UpdateExpression = '', ConditionExpression } = update;
  const isReadable = '(attribute_not_exists(#format) OR #format <= :format)';
  return {
    ...update,
    UpdateExpression: UpdateExpression.startsWith('SET ')
      ? UpdateExpression.replace('SET ', 'SET #format = :format, ')
      : `SET #format = :format ${UpdateExpression}`,
    ConditionExpression: ConditionExpression ? `(${ConditionExpression}) AND ${isReadable}` : isReadable,
    ExpressionAttributeNames: { ...update.ExpressionAttributeNames, '#format': 'format' },
    ExpressionAttributeValues: { ...update.ExpressionAttributeValues, ':format': itemFormat },
  };
};

/** For items that are put as a whole. */
export const formatAttribute = { format: itemFormat };

/**
 * Refuses an item that a newer version wrote, as during a rollback: this version would misread it.
 * @throws UnavailableError, because the newer version, once it is back, can read the item.
 */
export const refuseNewerFormat = (item: Readonly<Record<string, unknown>> | undefined): void => {
  const format = item?.format ?? itemFormat;
  if (typeof format !== 'number' || format > itemFormat)
    throw new UnavailableError(
      `the item ${item?.pk} has format ${format}, and this version reads formats up to ${itemFormat}; deploy the newer version again`,
    );
};
