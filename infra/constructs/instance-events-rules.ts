import { Stack } from 'aws-cdk-lib';
import { type IRuleTarget, Rule } from 'aws-cdk-lib/aws-events';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { TaskScope } from '../../shared/service-types/event-kind.ts';
import { eventPatternsOf } from '../../shared/service-types/events.ts';
import type { EventPattern } from '../../shared/wire/eventbridge.ts';
import { deadLetterQueue } from './dead-letter-queue.ts';

export type InstanceEventsRulesProps = {
  /** The target of matching events; events that cannot be delivered go to the given queue. */
  readonly target: (deadLetterQueue: Queue) => IRuleTarget;
  /** The ECS tasks whose events arrive on this bus; undefined: none. */
  readonly tasks: TaskScope | undefined;
};

/** A rule for each kind of event that we understand, on the default bus: AWS sends its events to no other. */
export class InstanceEventsRules extends Construct {
  readonly rules: readonly Rule[];
  /** The AWS services whose events these are, in texts. */
  readonly services: 'EC2' | 'EC2 and ECS';
  /** Events that EventBridge could not deliver for 24 hours. */
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, { target, tasks }: InstanceEventsRulesProps) {
    super(scope, id);
    this.services = tasks === undefined ? 'EC2' : 'EC2 and ECS';
    this.deadLetters = deadLetterQueue(this, 'DeadLetters');
    this.rules = eventPatternsOf(Stack.of(this).account, tasks).map((pattern) => {
      const name = pattern['detail-type'].join(', ');
      return new Rule(this, name.replaceAll(/\W/g, ''), {
        description: name,
        eventPattern: rulePattern(pattern),
        targets: [target(this.deadLetters)],
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
