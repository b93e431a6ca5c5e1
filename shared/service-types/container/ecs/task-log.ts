import * as z from 'zod/mini';
import { type SignedCallParts, signedCall } from '../../../adapters/aws/signed-call.ts';
import { NotFoundError, PermissionDeniedError, ThrottledError, UpstreamError } from '../../../core/errors.ts';
import type { Target } from '../../../core/target.ts';
import type { LogReader } from '../../../ports/logs.ts';

type Parts = SignedCallParts & {
  /** The log group of the provider's containers in a target; undefined: not known. */
  readonly logGroupOf: (target: Target) => string | undefined;
  /** What the names of our log streams begin with. */
  readonly provider: string;
};

const Events = z.object({
  events: z._default(z.array(z.object({ message: z._default(z.string(), '') })), []),
});

/**
 * The log of the provider's containers in CloudWatch Logs, at most 10,000 events or 1 MB, by one signed request, since its SDK client is not
 * used otherwise. A stream's name is that of ECS's log driver: prefix, container, task.
 * @see https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-log-config.html
 */
export const ecsTaskLog = ({ logGroupOf, provider, ...parts }: Parts): LogReader => {
  const call = signedCall(parts);
  return async ({ target, id, stream, newest }) => {
    const logGroupName = logGroupOf(target);
    if (logGroupName === undefined) throw new NotFoundError(`the log of ${id} is not known`);
    const { status, text } = await call({
      ...{ service: 'logs', target, method: 'POST', path: '/' },
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'Logs_20140328.GetLogEvents' },
      body: JSON.stringify({
        logGroupName,
        logStreamName: `${provider}/${stream}/${id}`,
        startFromHead: !newest,
      }),
    });
    if (status === 200) {
      const { events } = Events.parse(JSON.parse(text));
      return { text: events.map(({ message }) => message).join('\n'), updatedAt: undefined };
    }
    const where = `CloudWatch Logs in ${target.region}`;
    if (text.includes('ResourceNotFoundException'))
      throw new NotFoundError(`${where} has no log of ${id} in ${logGroupName}`);
    if (text.includes('AccessDeniedException'))
      throw new PermissionDeniedError(`${where} does not permit this provider to read the log of ${id}`);
    if (text.includes('ThrottlingException')) throw new ThrottledError(`${where} throttles reads of logs`);
    throw new UpstreamError(`${where} answers HTTP ${status} to GetLogEvents`);
  };
};
