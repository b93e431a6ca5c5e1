import '../../shared/runtime/schema-messages.ts';
import { sqsRetries } from '../../shared/adapters/sqs-retries.ts';
import { partialBatch } from '../../shared/runtime/partial-batch.ts';
import { log, meter, withTelemetry } from '../../shared/runtime/telemetry.ts';
import { Env } from './env.ts';
import { awsPorts } from './handler-ports.ts';
import { processHeartbeats } from './process-heartbeats.ts';
import { readMessage } from './read-message.ts';
import { readRefusals, reportRefusals } from './report-refusals.ts';
import { reportStatus } from './report-status.ts';

const env = Env.parse(process.env);
const identity = { provider: env.PROVIDER_NAME, tagKeys: env.TAG_KEYS, burst: env.BURST };
const spotEndsAs = env.SPOT_ENDS_AS;
const telemetry = { now: Date.now, log, meter };
const { heartbeats, ...ports } = awsPorts(env);
const retries = sqsRetries(env.OBSERVATIONS_QUEUE_URL, env.DEAD_LETTER_QUEUE_URL);
const parts = { ...ports, retries, spotEndsAs, ...identity, ...telemetry };
const read = readMessage({ regions: env.REGIONS, account: env.ACCOUNT_ID, ...telemetry });
const handle = reportRefusals(parts, reportStatus(parts));

export const handler = withTelemetry(
  processHeartbeats(
    { heartbeats, log },
    partialBatch({
      read: readRefusals(read),
      handle,
      retries,
      log,
      meter,
    }),
  ),
);
