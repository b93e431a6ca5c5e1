import * as z from 'zod/mini';
import type { Notice } from '../../../core/message.ts';
import { eventKind } from '../../event-kind.ts';
import { InstanceId } from '../kind.ts';

/**
 * aws.health "AWS Health Event" of EC2: maintenance or retirement of instances is scheduled, or is over. The event may be a copy that
 * AWS Health sends to a backup region or to an organization's management account, so region and account of the instances are read from the
 * detail. A long list of instances is split over several events, the pages.
 * @see https://docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html
 */
export const health = eventKind({
  source: 'aws.health',
  detailType: 'AWS Health Event',
  detail: { service: ['EC2'], eventTypeCategory: ['scheduledChange'] },
  schema: z.object({
    eventTypeCode: z.string(),
    /** `upcoming`, `open` or `closed`. */
    statusCode: z.optional(z.string()),
    startTime: z.optional(z.string()),
    eventRegion: z.optional(z.string()),
    affectedAccount: z.optional(z.string()),
    affectedEntities: z._default(
      z.array(
        z.object({
          entityValue: z.string(),
          /** `IMPAIRED`, `UNIMPAIRED`, `UNKNOWN`, `PENDING` or `RESOLVED`. */
          status: z.optional(z.string()),
        }),
      ),
      [],
    ),
  }),
  toMessages: (detail, from) => {
    const { eventTypeCode, statusCode, startTime, affectedEntities } = detail;
    const { eventRegion: region = from.region, affectedAccount: account = from.account } = detail;
    return affectedEntities.flatMap(({ entityValue, status }): Notice[] => {
      const resourceId = InstanceId.safeParse(entityValue);
      if (!resourceId.success) return []; // EC2's health events are also about volumes, hosts and reservations
      const about = { ...from, region, account, resourceId: resourceId.data };
      if (isOver(statusCode, status))
        return [{ kind: 'notice', ...about, notice: 'scheduled-change-closed', text: '' }];
      const text = `AWS Health: ${eventTypeCode}${startTime ? ` from ${startTime}` : ''}`;
      return [{ kind: 'notice', ...about, notice: 'scheduled-change', text }];
    });
  },
});

const isOver = (statusCode = '', entityStatus = ''): boolean =>
  statusCode.toLowerCase() === 'closed' || ['RESOLVED', 'UNIMPAIRED'].includes(entityStatus.toUpperCase());
