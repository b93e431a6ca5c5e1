/**
 * One of the local emulators in a process of its own. First it sends its URL to its parent; then it answers each message with its `Usage` so far.
 * It ends with its parent. Argument: `dynamodb` or `sqs`.
 */
import { subscribe } from 'node:diagnostics_channel';
import { IncomingMessage } from 'node:http';
import { startDynamoDb } from '../local/emulators/dynamodb.ts';
import { startSqs } from '../local/emulators/sqs.ts';
import type { Usage } from './emulators.ts';

const requests: Record<string, number> = {};
/** @see https://nodejs.org/api/diagnostics_channel.html#http */
subscribe('http.server.request.start', (message) => {
  if (typeof message !== 'object' || message === null || !('request' in message)) return;
  if (!(message.request instanceof IncomingMessage)) return;
  const operation = String(message.request.headers['x-amz-target']).split('.').at(-1) ?? '';
  requests[operation] = (requests[operation] ?? 0) + 1;
});

const { url } = process.argv[2] === 'sqs' ? await startSqs() : await startDynamoDb();
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ requests, cpuMs: (user + system) / 1000 } satisfies Usage);
});
process.once('disconnect', () => process.exit());
process.send?.(url);
