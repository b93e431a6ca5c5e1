import { type EventBus, type IRuleTarget, Rule } from 'aws-cdk-lib/aws-events';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { EventPattern } from '../../shared/wire/eventbridge.ts';
import { deadLetterQueue } from './dead-letter-queue.ts';

export type InstanceEventsRulesProps = {
  /** The targets of matching events; events that cannot be delivered go to the given queue. */
  readonly targets: (deadLetterQueue: Queue) => readonly IRuleTarget[];
  /** The events to match, each by a rule. */
  readonly patterns: readonly EventPattern[];
  /** Undefined: the default bus, the only one to which AWS sends its events itself. */
  readonly bus?: EventBus;
};

/** A rule for each kind of event that we understand. */
export class InstanceEventsRules extends Construct {
  readonly rules: readonly Rule[];
  /** The AWS services whose events these are, in texts. */
  readonly services: 'EC2' | 'EC2 and ECS';
  /** Events that EventBridge could not deliver for 24 hours. */
  readonly deadLetters: Queue;
  /** Undefined: the default bus. */
  readonly bus: EventBus | undefined;

  constructor(scope: Construct, id: string, { targets, patterns, bus }: InstanceEventsRulesProps) {
    super(scope, id);
    this.bus = bus;
    this.services = patterns.some(({ source }) => source.includes('aws.ecs')) ? 'EC2 and ECS' : 'EC2';
    this.deadLetters = deadLetterQueue(this, 'DeadLetters');
    this.rules = patterns.map((pattern) => {
      const name = pattern['detail-type'].join(', ');
      return new Rule(this, name.replaceAll(/\W/g, ''), {
        description: name,
        eventPattern: rulePattern(pattern),
        targets: [...targets(this.deadLetters)],
        ...(bus && { eventBus: bus }),
      });
    });
  }
}

const rulePattern = ({ source, 'detail-type': detailType, account, detail }: EventPattern) => ({
  source: [...source],
  detailType: [...detailType],
  ...(account && { account: [...account] }),
  ...(detail && { detail }),
});
