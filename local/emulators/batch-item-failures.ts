import * as z from 'zod';

/** What a function answers with ReportBatchItemFailures on; nothing at all is a success too. */
const Answer = z
  .object({ batchItemFailures: z.array(z.object({ itemIdentifier: z.string().min(1) })).nullish() })
  .nullish();

/**
 * The messages of a batch that are not done. An answer that is not as agreed, or names a message that was not in the batch,
 * leaves all of them undone.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
 */
export const undone = (answer: unknown, messageIds: readonly string[]): readonly string[] => {
  const { success, data } = Answer.safeParse(answer);
  const failed = data?.batchItemFailures?.map(({ itemIdentifier }) => itemIdentifier) ?? [];
  return success && failed.every((id) => messageIds.includes(id)) ? failed : messageIds;
};
