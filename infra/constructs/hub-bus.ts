import { Stack } from 'aws-cdk-lib';
import { CfnEventBusPolicy, EventBus } from 'aws-cdk-lib/aws-events';
import { AnyPrincipal, ArnPrincipal, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { eventSources, forwardedPatternsOf } from '../../shared/service-types/events.ts';
import type { EventPattern } from '../../shared/wire/eventbridge.ts';
import { accountsOf } from '../settings/accounts.ts';
import type { Settings } from '../settings/settings.ts';
import { InstanceEventsRules } from './instance-events-rules.ts';
import { partitionIn } from './permissions.ts';

/** The name of the event bus in the home region to which other accounts forward their events. */
export const hubBusName = (provider: string): string => `dcm-${provider}`;

export type HubBusProps = {
  readonly settings: Settings;
  /** Where the events go: to each of these. */
  readonly queues: readonly Queue[];
};

/**
 * The bus to which the rules in other accounts forward their events: not the default bus, to which a policy would open every rule of the
 * account. EventBridge sets an event's `account`, and lets nobody but AWS's services put events whose source begins with `aws.`, so the rules
 * can rely on both.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
 */
export class HubBus extends Construct {
  readonly events: InstanceEventsRules;

  constructor(scope: Construct, id: string, { settings, queues }: HubBusProps) {
    super(scope, id);
    const bus = new EventBus(this, 'Bus', {
      eventBusName: hubBusName(settings.provider.name),
      description: `Events of other accounts for DCM's EC2 service provider ${settings.provider.name}`,
    });
    this.#admitAccounts(settings, bus);
    this.events = new InstanceEventsRules(this, 'InstanceEvents', {
      bus,
      patterns: patternsOf(settings),
      targets: (deadLetterQueue) =>
        queues.map(({ queueArn }) => ({
          bind: () => ({
            arn: queueArn,
            deadLetterConfig: { arn: deadLetterQueue.queueArn },
            retryPolicy: { maximumEventAgeInSeconds: 24 * 3600, maximumRetryAttempts: 185 },
          }),
        })),
    });
    this.#admitRules(settings, [...queues, this.events.deadLetters]);
  }

  #admitAccounts(settings: Settings, bus: EventBus) {
    const { organization } = settings;
    const sid = 'ForwardedEvents';
    const statement = new PolicyStatement({
      sid,
      actions: ['events:PutEvents'],
      resources: [bus.eventBusArn],
      principals:
        organization === undefined
          ? accountsOf(settings).map(
              ([, { id }]) => new ArnPrincipal(`arn:${partitionIn(this).name}:iam::${id}:root`),
            )
          : [new AnyPrincipal()],
      conditions: {
        'ForAllValues:StringEquals': { 'events:source': eventSources },
        ...(organization && { StringEquals: { 'aws:PrincipalOrgID': organization.id } }),
      },
    }).toStatementJson();
    new CfnEventBusPolicy(this, 'Policy', { eventBusName: bus.eventBusName, statementId: sid, statement });
  }

  /** All rules of the bus by one statement: a queue's policy has at most 20. */
  #admitRules({ provider }: Settings, queues: readonly Queue[]) {
    const rules = Stack.of(this).formatArn({
      service: 'events',
      resource: 'rule',
      resourceName: `${hubBusName(provider.name)}/*`,
    });
    for (const queue of queues)
      queue.addToResourcePolicy(
        new PolicyStatement({
          actions: ['sqs:SendMessage'],
          resources: [queue.queueArn],
          principals: [new ServicePrincipal('events.amazonaws.com')],
          conditions: { ArnLike: { 'aws:SourceArn': rules } },
        }),
      );
  }
}

/** The organization may have other accounts, so every rule lists those that are reported. */
const patternsOf = (settings: Settings): readonly EventPattern[] => {
  const ids = accountsOf(settings).map(([, { id }]) => id);
  const runsContainers = accountsOf(settings).some(([, { containers }]) => containers !== undefined);
  const tasks = runsContainers ? { provider: settings.provider.name } : undefined;
  return forwardedPatternsOf(ids, tasks);
};
