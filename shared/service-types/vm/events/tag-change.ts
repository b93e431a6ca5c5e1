import * as z from 'zod/mini';
import { Tags } from '../../../core/ownership.ts';
import { eventKind } from '../../event-kind.ts';
import { InstanceId } from '../kind.ts';

/**
 * aws.tag "Tag Change on Resource" of an instance. It has all tags, so the owner is known without a call of EC2.
 * @see https://docs.aws.amazon.com/tag-editor/latest/userguide/monitor-tag-changes.html
 */
export const tagChange = eventKind({
  source: 'aws.tag',
  detailType: 'Tag Change on Resource',
  detail: { service: ['ec2'], 'resource-type': ['instance'] },
  schema: z.object({ tags: z._default(Tags, {}) }),
  toMessages: ({ tags }, from, { resources }) =>
    resources.map((arn) => ({
      kind: 'tag-change',
      ...from,
      resourceId: InstanceId.parse(arn.slice(arn.lastIndexOf('/') + 1)),
      tags,
    })),
});
