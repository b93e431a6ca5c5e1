import { Duration, Validations } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { deadLetterQueue, longestRetention } from './dead-letter-queue.ts';

/** AWS recommends six times the timeout for a queue that invokes a function, so that throttled invocations can be retried. */
const visibilityPerTimeout = 6;

/**
 * A queue whose messages are kept until they are processed, for up to 14 days, and its dead-letter queue. SQS encrypts it with its own key,
 * because EventBridge cannot deliver to a queue under the AWS managed KMS key.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
 */
export class RetriedQueue extends Construct {
  readonly queue: Queue;
  /** Messages that no retry can process, with the reason: the consumer puts them there. */
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
        'A message may be retried for as long as a service is down; the consumer itself dead-letters what no retry can process.',
    });
  }
}
