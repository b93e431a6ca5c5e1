import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Context } from 'aws-lambda';
import type { Log, Meter } from '../ports/telemetry.ts';

const logger = new Logger();
const metrics = new Metrics();

/** Writes JSON lines to CloudWatch Logs; the POWERTOOLS_* environment variables set level, service name and sampling. */
export const log: Log = {
  info: (message, fields = {}) => logger.info(message, fields),
  warn: (message, fields = {}) => logger.warn(message, fields),
  error: (message, fields = {}) => logger.error(message, fields),
};

/** Adds these fields to all later log lines of the invocation. */
export const correlate = (fields: Readonly<Record<string, string>>): void => logger.appendKeys({ ...fields });

/** CloudWatch metrics in the embedded metric format: written to the log, without a call. */
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
  canaryAge: (provider, ms) => {
    const age = metrics.singleMetric();
    age.addDimension('provider', provider);
    age.addMetric('canaryAgeMs', MetricUnit.Milliseconds, Math.max(0, ms));
  },
};

/** Adds the request id to every log line of an invocation, and publishes its metrics, also when it fails. */
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
