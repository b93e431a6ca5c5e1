import { Stack } from 'aws-cdk-lib';
import { EventBus, type IRuleTarget } from 'aws-cdk-lib/aws-events';
import { AccountPrincipal, AnyPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { SettingsError } from '../../shared/core/errors.ts';
import { eventSources, instancePatternsOf, taskPatternsOf } from '../../shared/service-types/events.ts';
import type { EventPattern } from '../../shared/wire/eventbridge.ts';
import { accountsOf, settingsWithin } from '../settings/accounts.ts';
import type { Settings } from '../settings/settings.ts';
import { accountTasks } from './containers.ts';
import { InstanceEventsRules } from './instance-events-rules.ts';

/** The name of the event bus in the home region to which other accounts forward their events. */
export const hubBusName = (provider: string): string => `dcm-${provider}`;

/** @see https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPermission.html */
const policyLimitBytes = 10_240;

/** An event pattern has at most 2,048 characters, and an account in a list 15. @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html */
const accountsOfPattern = 100;

export type HubBusProps = {
  readonly settings: Settings;
  readonly target: (deadLetterQueue: Queue) => IRuleTarget;
};

/**
 * The bus to which the rules in other accounts forward their events: not the default bus, to which a policy would open every rule of the
 * account. EventBridge sets an event's `account`, and lets nobody but AWS's services put events whose source begins with `aws.`, so the rules
 * can rely on both.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
 */
export class HubBus extends Construct {
  readonly events: InstanceEventsRules;

  /** @throws SettingsError if EventBridge would refuse the bus's policy. */
  constructor(scope: Construct, id: string, { settings, target }: HubBusProps) {
    super(scope, id);
    const bus = new EventBus(this, 'Bus', {
      eventBusName: hubBusName(settings.provider.name),
      description: `Events of other accounts for DCM's EC2 service provider ${settings.provider.name}`,
    });
    const statement = this.#admitting(settings, bus.eventBusArn);
    const bytes = Buffer.byteLength(JSON.stringify(Stack.of(this).resolve(statement.toStatementJson())));
    if (bytes > policyLimitBytes)
      throw new SettingsError(
        `The accounts make a policy of ${bytes} bytes for the event bus, and EventBridge accepts ${policyLimitBytes}: set organization.id, by which the policy names no accounts.`,
      );
    bus.addToResourcePolicy(statement);
    this.events = new InstanceEventsRules(this, 'InstanceEvents', {
      target,
      patterns: patternsOf(settings),
      bus,
    });
  }

  #admitting(settings: Settings, busArn: string): PolicyStatement {
    const { organization } = settings;
    return new PolicyStatement({
      sid: 'ForwardedEvents',
      actions: ['events:PutEvents'],
      resources: [busArn],
      principals:
        organization === undefined
          ? accountsOf(settings).map(([, { id }]) => new AccountPrincipal(id))
          : [new AnyPrincipal()],
      conditions: {
        'ForAllValues:StringEquals': { 'events:source': eventSources },
        ...(organization && { StringEquals: { 'aws:PrincipalOrgID': organization.id } }),
      },
    });
  }
}

/** The organization may have other accounts, so every rule lists those that are reported. */
const patternsOf = (settings: Settings): EventPattern[] => {
  const accounts = accountsOf(settings);
  const ids = accounts.map(([, { id }]) => id);
  const lists = Array.from({ length: Math.ceil(ids.length / accountsOfPattern) }, (_, index) =>
    ids.slice(index * accountsOfPattern, (index + 1) * accountsOfPattern),
  );
  return [
    ...lists.flatMap(instancePatternsOf),
    ...accounts.flatMap(([, account]) => {
      const tasks = accountTasks(settingsWithin(settings, account), account);
      return tasks === undefined ? [] : taskPatternsOf(account.id, tasks);
    }),
  ];
};
