import { Duration, Validations } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { deadLetterQueue, longestRetention } from './dead-letter-queue.ts';

/** AWS's advice for a queue that invokes a function: room for its retries while it is throttled. */
const visibilityPerTimeout = 6;

/**
 * Everything that was learnt of an instance waits here until DCM's stream has it, for up to 14 days. It is encrypted by SQS itself:
 * EventBridge cannot deliver to a queue under the AWS managed KMS key.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
 */
export class ObservationsQueue extends Construct {
  readonly queue: Queue;
  /** What no retry can make readable, put there by the normaliser with the reason. */
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, { consumerTimeout }: { readonly consumerTimeout: Duration }) {
    super(scope, id);
    this.deadLetters = deadLetterQueue(this, 'DeadLetters');
    this.queue = new Queue(this, 'Queue', {
      retentionPeriod: longestRetention,
      visibilityTimeout: Duration.seconds(consumerTimeout.toSeconds() * visibilityPerTimeout),
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    });
    Validations.of(this.queue).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason:
        'A message that is tried again because NATS is down is no worse for it; the normaliser buries what cannot be read.',
    });
  }
}
