import * as z from 'zod/mini';
import { InstanceId } from '../../../shared/domain/instance.ts';
import { eventKind } from './kind.ts';

/**
 * aws.health "AWS Health Event" of EC2: maintenance or retirement that is scheduled for some instances.
 * @see https://docs.aws.amazon.com/health/latest/ug/aws-health-concepts-and-terms.html
 */
export const health = eventKind({
  source: 'aws.health',
  detailType: 'AWS Health Event',
  detail: { service: ['EC2'], eventTypeCategory: ['scheduledChange'] },
  schema: z.object({
    eventTypeCode: z.string(),
    startTime: z.optional(z.string()),
    affectedEntities: z._default(z.array(z.object({ entityValue: z.string() })), []),
  }),
  toSignals: ({ eventTypeCode, startTime, affectedEntities }, from) =>
    affectedEntities.flatMap(({ entityValue }) => {
      const instanceId = InstanceId.safeParse(entityValue);
      if (!instanceId.success) return []; // EC2's health events are also about volumes, hosts and reservations
      const text = `AWS Health: ${eventTypeCode}${startTime ? ` from ${startTime}` : ''}`;
      return [{ kind: 'notice', ...from, instanceId: instanceId.data, notice: 'scheduled-change', text }];
    }),
});
