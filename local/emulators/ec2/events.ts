import { randomUUID } from 'node:crypto';
import type { Tags } from '../../../shared/core/ownership.ts';
import { InstanceState } from '../../../shared/service-types/vm/kind.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import { resourceIdOf } from '../event-emitter.ts';
import { instanceArn, type SimulatedInstance } from './instance.ts';

/** The instance and the time of an event. */
export type EventSubject = {
  readonly instance: SimulatedInstance;
  readonly account: string;
  readonly atMs: number;
};

type Content = {
  readonly source: string;
  readonly type: string;
  readonly resource?: string;
  readonly detail: EventBridgeEvent['detail'];
};

const event = (
  { instance, account, atMs }: EventSubject,
  { source, type, resource, detail }: Content,
): EventBridgeEvent => ({
  version: '0',
  id: randomUUID(),
  'detail-type': type,
  source,
  account,
  time: `${new Date(atMs).toISOString().slice(0, 19)}Z`,
  region: instance.region,
  resources: [resource ?? instanceArn(instance, account)],
  detail,
});

/** @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-instance-state-changes.html */
export const stateChange = (subject: EventSubject, state: InstanceState): EventBridgeEvent =>
  event(subject, {
    source: 'aws.ec2',
    type: 'EC2 Instance State-change Notification',
    detail: { 'instance-id': subject.instance.id, state },
  });

/** @see https://docs.aws.amazon.com/tag-editor/latest/userguide/tag-monitor.html */
export const tagChange = (
  subject: EventSubject,
  changedKeys: readonly string[],
  tags: Tags,
): EventBridgeEvent =>
  event(subject, {
    source: 'aws.tag',
    type: 'Tag Change on Resource',
    detail: {
      'changed-tag-keys': changedKeys,
      tags,
      service: 'ec2',
      'resource-type': 'instance',
      version: subject.instance.tagVersion,
    },
  });

/**
 * AWS documents its ARN with the availability zone instead of the region, and without an account.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
 */
export const spotInterruption = (subject: EventSubject, action: string): EventBridgeEvent =>
  event(subject, {
    source: 'aws.ec2',
    type: 'EC2 Spot Instance Interruption Warning',
    resource: `arn:aws:ec2:${subject.instance.launch.availabilityZone}:instance/${subject.instance.id}`,
    detail: { 'instance-id': subject.instance.id, 'instance-action': action },
  });

/** @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/rebalance-recommendations.html */
export const rebalanceRecommendation = (subject: EventSubject): EventBridgeEvent =>
  event(subject, {
    source: 'aws.ec2',
    type: 'EC2 Instance Rebalance Recommendation',
    detail: { 'instance-id': subject.instance.id },
  });

const retirement = 'AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED';

/** Status of AWS Health's event, and of the instance in it. */
const retirementStatus = {
  scheduled: { event: 'upcoming', instance: 'PENDING' },
  over: { event: 'closed', instance: 'RESOLVED' },
} as const;

/** @see https://docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html */
export const retirementEvent = (
  subject: EventSubject,
  status: keyof typeof retirementStatus,
  retiresAtMs: number,
): EventBridgeEvent => {
  const { instance, account, atMs } = subject;
  const communicationId = randomUUID();
  return event(subject, {
    source: 'aws.health',
    type: 'AWS Health Event',
    resource: instance.id,
    detail: {
      eventArn: `arn:aws:health:${instance.region}::event/EC2/${retirement}/${retirement}_${communicationId}`,
      service: 'EC2',
      eventTypeCode: retirement,
      eventTypeCategory: 'scheduledChange',
      eventScopeCode: 'ACCOUNT_SPECIFIC',
      communicationId,
      startTime: new Date(retiresAtMs).toUTCString(),
      lastUpdatedTime: new Date(atMs).toUTCString(),
      statusCode: retirementStatus[status].event,
      eventRegion: instance.region,
      eventDescription: [
        {
          language: 'en_US',
          latestDescription: 'The hardware under this instance is degraded and will be retired.',
        },
      ],
      affectedEntities: [
        {
          entityValue: instance.id,
          lastUpdatedTime: new Date(atMs).toUTCString(),
          status: retirementStatus[status].instance,
        },
      ],
      affectedAccount: account,
      page: '1',
      totalPages: '1',
    },
  });
};

/** An event that was lost, so that the change must be found otherwise. */
export type LostEvent = {
  readonly instanceId: string;
  readonly region: string;
  readonly detailType: string;
  /** undefined for an event that is not a state change. */
  readonly state: InstanceState | undefined;
};

export const lostEvent = (event: EventBridgeEvent): LostEvent => ({
  instanceId: resourceIdOf(event),
  region: event.region,
  detailType: event['detail-type'],
  state: InstanceState.safeParse(event.detail.state).data,
});
