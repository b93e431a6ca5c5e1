import type { SQSClient } from '@aws-sdk/client-sqs';
import type { RequestCompaction } from '../../ports/inventory.ts';
import { compactionRequest } from '../../wire/inventory-request.ts';
import { sendMessages } from './send-messages.ts';

/** Requests compactions by the queue `inventory`. */
export const sqsCompactionRequests =
  (client: SQSClient, queueUrl: string): RequestCompaction =>
  (place) =>
    sendMessages({ client, queueUrl, name: 'the inventory queue' }, [compactionRequest(place)]);
