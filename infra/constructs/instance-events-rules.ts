import { Stack } from 'aws-cdk-lib';
import { type IRuleTarget, Rule } from 'aws-cdk-lib/aws-events';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { eventPatternsOf } from '../../shared/service-types/events.ts';
import type { EventPattern } from '../../shared/wire/eventbridge.ts';
import { deadLetterQueue } from './dead-letter-queue.ts';

export type InstanceEventsRulesProps = {
  /** The target of matching events; events that cannot be delivered go to the given queue. */
  readonly target: (deadLetterQueue: Queue) => IRuleTarget;
};

/** A rule for each kind of event that we understand, on the default bus: AWS sends its events to no other. */
export class InstanceEventsRules extends Construct {
  readonly rules: readonly Rule[];
  /** Events that EventBridge could not deliver for 24 hours. */
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, { target }: InstanceEventsRulesProps) {
    super(scope, id);
    this.deadLetters = deadLetterQueue(this, 'DeadLetters');
    this.rules = eventPatternsOf(Stack.of(this).account).map((pattern) => {
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
