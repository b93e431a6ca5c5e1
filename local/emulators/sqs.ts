import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { buildApp } from 'fauxqs';
import * as z from 'zod';
import type { LocalServer } from '../processes/loopback.ts';
import { clientConfig } from './client-config.ts';

/**
 * SQS in memory, in this process: fauxqs. Its account is 000000000000. Queue URLs have the address on which it listens, because fauxqs's own
 * host names, such as sqs.us-east-1.localhost, cannot be resolved on most machines.
 */
export const startSqs = async (options: { readonly port?: number } = {}): Promise<LocalServer> => {
  const app = buildApp({ logger: false });
  const ownUrls = new Map<string, string>();
  app.addHook('preHandler', async (request) => {
    const { success, data } = RequestWithQueueUrl.safeParse(request.body);
    if (success) request.body = { ...data, QueueUrl: ownUrls.get(data.QueueUrl) ?? data.QueueUrl };
  });
  app.addHook('onSend', async ({ headers }, _reply, answer) => {
    if (typeof answer !== 'string' || !returnsQueueUrl.test(String(headers['x-amz-target']))) return answer;
    return answer.replace(ownUrl, (own, addressAndName) => {
      ownUrls.set(`http://127.0.0.1${addressAndName}`, own);
      return `http://127.0.0.1${addressAndName}`;
    });
  });
  const url = await app.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  return { url, [Symbol.asyncDispose]: () => app.close() };
};

const RequestWithQueueUrl = z.looseObject({ QueueUrl: z.string() });
const returnsQueueUrl = /\.(CreateQueue|GetQueueUrl|ListQueues)$/;
const ownUrl = /http:\/\/sqs\.[\w-]+\.localhost(:\d+\/\d+\/[\w.-]+)/g;

/**
 * Creates a queue in the SQS at `url`, or finds the existing one. @returns the queue's URL
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html for the attributes.
 */
export const createQueue = async (
  url: string,
  name: string,
  attributes: Readonly<Record<string, string>> = {},
): Promise<string> => {
  const client = new SQSClient(clientConfig(url));
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
  client.destroy();
  if (QueueUrl === undefined) throw new Error(`CreateQueue of ${name} returned no URL`);
  return QueueUrl;
};
