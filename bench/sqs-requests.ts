import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { IncomingMessage } from 'node:http';

const started = 'http.server.request.start';

/**
 * Counts the requests that reach the SQS of this process, whoever makes them, but for those that only ask how full a queue is.
 * @see https://nodejs.org/api/diagnostics_channel.html#http
 */
export const countSqsRequests = (): Disposable & { count(): number } => {
  let count = 0;
  const hear = (message: unknown) => {
    const operation = operationOf(message);
    if (operation.startsWith('AmazonSQS.') && operation !== 'AmazonSQS.GetQueueAttributes') count += 1;
  };
  subscribe(started, hear);
  return { count: () => count, [Symbol.dispose]: () => void unsubscribe(started, hear) };
};

const operationOf = (message: unknown): string => {
  if (typeof message !== 'object' || message === null || !('request' in message)) return '';
  return message.request instanceof IncomingMessage ? String(message.request.headers['x-amz-target']) : '';
};
