import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Context } from 'aws-lambda';
import type { Log, Meter } from '../ports/telemetry.ts';

const logger = new Logger();
const metrics = new Metrics();

/** JSON lines in CloudWatch Logs; level, service name and sampling by the POWERTOOLS_* environment variables. */
export const log: Log = {
  info: (message, fields = {}) => logger.info(message, fields),
  warn: (message, fields = {}) => logger.warn(message, fields),
  error: (message, fields = {}) => logger.error(message, fields),
};

/** Gives all later log lines of the invocation these fields. */
export const correlate = (fields: Readonly<Record<string, string>>): void => logger.appendKeys({ ...fields });

/** CloudWatch metrics in the embedded metric format: written to the log, no call. */
export const meter: Meter = {
  count: (name, by = 1) => {
    if (by > 0) metrics.addMetric(name, MetricUnit.Count, by);
  },
  eventAge: (ms) => metrics.addMetric('eventAge', MetricUnit.Milliseconds, Math.max(0, ms)),
  healed: (region, state) => {
    const healed = metrics.singleMetric();
    healed.addDimensions({ region, state });
    healed.addMetric('resyncHealed', MetricUnit.Count, 1);
  },
};

/** Gives every log line of an invocation its request id, and writes out what was counted, also when it fails. */
export const withTelemetry =
  <Event, Answer>(handler: (event: Event) => Promise<Answer>) =>
  async (event: Event, context: Context): Promise<Answer> => {
    logger.addContext(context);
    try {
      return await handler(event);
    } finally {
      logger.resetKeys();
      if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    }
  };
