import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { type InspectedQueues, InspectionRequest, type QueueDepth } from '../../shared/wire/inspection.ts';

type Parts = {
  /** @throws UnavailableError */
  readonly depth: () => Promise<QueueDepth>;
  /** As `depth`, of the dead-letter queue. */
  readonly deadLetters: () => Promise<QueueDepth>;
};
type Batch = (event: SQSEvent) => Promise<SQSBatchResponse>;

/** Tells `npm run doctor`, which needs no permission at the queues, how many messages they have; has a batch of messages processed. */
export const inspectQueues =
  ({ depth, deadLetters }: Parts, process: Batch) =>
  async (event: SQSEvent | InspectionRequest): Promise<SQSBatchResponse | InspectedQueues> => {
    if (!isInspection(event)) return process(event);
    const [queue, dead] = await Promise.all([depth(), deadLetters()]);
    return { ...queue, deadLetters: dead.waiting + dead.received };
  };

const isInspection = (event: SQSEvent | InspectionRequest): event is InspectionRequest =>
  InspectionRequest.safeParse(event).success;
