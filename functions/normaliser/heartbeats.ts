import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { Heartbeats } from '../../shared/ports/heartbeats.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import { heartbeatIn } from '../../shared/wire/heartbeat.ts';

type Parts = { readonly heartbeats: Pick<Heartbeats, 'processed'>; readonly log: Log };
type Batch = (event: SQSEvent) => Promise<SQSBatchResponse>;

/** Records the heartbeats in a batch, so that health can measure the delay of the queue; handles the other messages as before. */
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
      // Health sends another within a minute, so a heartbeat that could not be recorded is not redelivered.
      await heartbeats.processed(Math.max(...sentAt.values())).catch((error: unknown) => {
        log.warn('a heartbeat of the observations queue was not recorded', { error });
      });
    }
    return { batchItemFailures };
  };
