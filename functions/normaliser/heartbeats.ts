import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { Heartbeats } from '../../shared/ports/heartbeats.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import { heartbeatIn } from '../../shared/wire/heartbeat.ts';

type Parts = { readonly heartbeats: Pick<Heartbeats, 'processed'>; readonly log: Log };
type Batch = (event: SQSEvent) => Promise<SQSBatchResponse>;

/** Writes down which heartbeats have come through the queue, so that health knows how long it takes; the rest of the batch goes on. */
export const processHeartbeats =
  ({ heartbeats, log }: Parts, process: Batch): Batch =>
  async ({ Records }) => {
    const sentAt = new Map(
      Records.flatMap(({ messageId, body }) => {
        const at = heartbeatIn(body);
        return at === undefined ? [] : [[messageId, at] as const];
      }),
    );
    const others = Records.filter(({ messageId }) => !sentAt.has(messageId));
    const { batchItemFailures } =
      others.length === 0 ? { batchItemFailures: [] } : await process({ Records: others });
    if (sentAt.size > 0) {
      // Health sends another within a minute: a heartbeat that could not be written down is not worth a redelivery.
      await heartbeats.processed(Math.max(...sentAt.values())).catch((error: unknown) => {
        log.warn('a heartbeat of the observations queue was not written down', { error });
      });
    }
    return { batchItemFailures };
  };
