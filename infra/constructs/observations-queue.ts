import { Duration, Validations } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { deadLetterQueue, longestRetention } from './dead-letter-queue.ts';

/** AWS recommends six times the timeout for a queue that invokes a function, so that throttled invocations can be retried. */
const visibilityPerTimeout = 6;

/**
 * The queue of all messages about instances, each kept until DCM's stream has its status, for up to 14 days. SQS encrypts it with its own
 * key, because EventBridge cannot deliver to a queue under the AWS managed KMS key.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
 */
export class ObservationsQueue extends Construct {
  readonly queue: Queue;
  /** Messages that the normaliser cannot parse, and statuses that NATS never accepts, with the reason. */
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
