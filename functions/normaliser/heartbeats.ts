import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { Clock } from '../../shared/ports/clock.ts';
import type { NatsProbe } from '../../shared/ports/health-probes.ts';
import type { Heartbeats } from '../../shared/ports/heartbeats.ts';
import type { Log, Meter } from '../../shared/ports/telemetry.ts';
import { canaryIn, heartbeatIn } from '../../shared/wire/heartbeat.ts';

type Batch = (event: SQSEvent) => Promise<SQSBatchResponse>;
type HeartbeatParts = { readonly heartbeats: Pick<Heartbeats, 'processed'>; readonly log: Log };

/** Records the heartbeats in a batch, so that health can measure the delay of the queue; handles the other messages as before. */
export const processHeartbeats =
  ({ heartbeats, log }: HeartbeatParts, process: Batch): Batch =>
  async ({ Records }) => {
    const { sentAt, others } = takenOut(Records, heartbeatIn);
    const answer = await processAny(process, others);
    if (sentAt.length > 0) {
      // Health sends another within a minute, so a heartbeat that could not be recorded is not redelivered.
      await heartbeats.processed(Math.max(...sentAt)).catch((error: unknown) => {
        log.warn('a heartbeat of the observations queue was not recorded', { error });
      });
    }
    return answer;
  };

type CanaryParts = {
  /** Asks, through the nats-bridge, whether JetStream takes statuses. */
  readonly nats: NatsProbe;
  /** Our name at DCM. */
  readonly provider: string;
  readonly now: Clock;
  readonly log: Log;
  readonly meter: Meter;
};

/**
 * Answers the canary's messages in a batch: asks whether JetStream takes statuses, and measures how long that took since they were sent.
 * Meanwhile handles the other messages as before. A message that fails is not redelivered, since the next one comes within a minute.
 */
export const answerCanary =
  (parts: CanaryParts, process: Batch): Batch =>
  async ({ Records }) => {
    const { sentAt, others } = takenOut(Records, canaryIn);
    const [answer] = await Promise.all([
      processAny(process, others),
      sentAt.length > 0 ? measure(parts, sentAt) : undefined,
    ]);
    return answer;
  };

const measure = async ({ nats, provider, now, log, meter }: CanaryParts, sentAtMs: readonly number[]) => {
  const state = await nats();
  if (state.connected) {
    const answeredAtMs = now();
    for (const each of sentAtMs) meter.canaryAge(provider, answeredAtMs - each);
    return;
  }
  meter.count('canaryFailed', sentAtMs.length);
  log.warn('JetStream did not answer the canary', { reason: state.reason });
};

type Records = SQSEvent['Records'];

/** The times in the messages that have one, and the other messages. */
const takenOut = (records: Records, timeIn: (body: string) => number | undefined) => {
  const times = records.map((record) => ({ record, time: timeIn(record.body) }));
  return {
    sentAt: times.flatMap(({ time }) => time ?? []),
    others: times.flatMap(({ record, time }) => (time === undefined ? [record] : [])),
  };
};

const processAny = async (process: Batch, records: Records): Promise<SQSBatchResponse> =>
  records.length === 0 ? { batchItemFailures: [] } : process({ Records: records });
