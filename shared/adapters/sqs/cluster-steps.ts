import type { SQSClient } from '@aws-sdk/client-sqs';
import type { ClusterSteps } from '../../ports/cluster-steps.ts';
import { clusterStepMessage } from '../../wire/cluster-step.ts';
import { sendMessages } from './send-messages.ts';

/** The queue of cluster steps in SQS. */
export const sqsClusterSteps = (client: SQSClient, queueUrl: string): ClusterSteps => ({
  request: (requests, afterSeconds) =>
    sendMessages(
      { client, queueUrl, name: 'the queue of cluster steps' },
      requests.map(clusterStepMessage),
      afterSeconds,
    ),
});
