/**
 * A process of its own that answers the normaliser's AWS calls at once: every instance is a VM of ours, every write is accepted,
 * every event acknowledged. Keeps nothing, so that the SDK and not a database is the bound. Tells its URL to its parent, and ends with it.
 */
import { createServer, type IncomingMessage } from 'node:http';
import * as z from 'zod';
import { listen } from '../local/processes/loopback.ts';

const BatchGet = z.object({
  RequestItems: z.record(
    z.string(),
    z.object({ Keys: z.array(z.object({ pk: z.object({ S: z.string() }) })) }),
  ),
});
const batchGetItem = (body: string) => {
  const { RequestItems } = BatchGet.parse(JSON.parse(body));
  const items = Object.entries(RequestItems).map(([table, { Keys }]) => [
    table,
    Keys.map(({ pk }) => heldItem(pk.S)),
  ]);
  return { Responses: Object.fromEntries(items), UnprocessedKeys: {} };
};

const heldItem = (instanceId: string) => ({
  pk: { S: instanceId },
  vmId: { S: '0b7f7a1e-1c1d-4f0e-8a34-5e2f5d1c9a77' },
  region: { S: 'us-east-1' },
  account: { S: '123456789012' },
  privateAddress: { S: '10.0.0.4' },
  sequence: { N: '0' },
  outbox: { M: {} },
  history: { M: {} },
});

const Update = z.object({
  Key: z.object({ pk: z.object({ S: z.string() }) }),
  ReturnValues: z.string().optional(),
  ExpressionAttributeNames: z.record(z.string(), z.string()),
  ExpressionAttributeValues: z.record(z.string(), z.unknown()).default({}),
});
const updateItem = (body: string) => {
  const {
    Key,
    ReturnValues,
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  } = Update.parse(JSON.parse(body));
  if (ReturnValues === 'NONE') return {};
  const key = names['#key'];
  const written = key !== undefined && {
    sequence: values[':sequence'],
    state: values[':state'],
    outbox: { M: { [key]: values[':status'] } },
    history: { M: { [key]: values[':past'] } },
  };
  return { Attributes: { ...heldItem(Key.pk.S), ...written } };
};

const Invocation = z.object({ events: z.array(z.object({ id: z.string() })) });
const invoke = (body: string) => ({
  acknowledged: Invocation.parse(JSON.parse(body)).events.map(({ id }, seq) => ({
    id,
    stream: 'dcm-status',
    seq,
    duplicate: false,
  })),
  failed: [],
});

const operations: Readonly<Record<string, (body: string) => object>> = {
  'DynamoDB_20120810.BatchGetItem': batchGetItem,
  'DynamoDB_20120810.UpdateItem': updateItem,
};

const answer = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const operation = operations[String(request.headers['x-amz-target'])] ?? invoke;
  return JSON.stringify(operation(Buffer.concat(chunks).toString()));
};

const server = createServer(async (request, response) => {
  const text = await answer(request);
  response
    .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    .end(text);
});
server.keepAliveTimeout = 60_000;
process.once('disconnect', () => process.exit());
process.send?.((await listen(server)).url);
