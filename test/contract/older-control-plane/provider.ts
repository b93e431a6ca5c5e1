import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { listen } from '../../../local/processes/loopback.ts';

type Asked = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
};
type Answer = { readonly status: number; readonly body?: unknown; readonly type?: string } | 'nothing';

/** A provider that answers as it is told, and remembers what it was asked; health is apart from the rest. */
export const scriptedProvider = async () => {
  const asked: Asked[] = [];
  let answer: (asked: Asked) => Answer | Promise<Answer> = () => ({
    status: 201,
    body: { status: 'PROVISIONING' },
  });
  let health: Answer = { status: 200, body: { status: 'healthy' } };
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    const one = { method, url, headers, body: await text(request) };
    asked.push(one);
    const answered = url.endsWith('/health') ? health : await answer(one);
    if (answered === 'nothing') return void request.socket.destroy();
    response.writeHead(answered.status, { 'content-type': answered.type ?? 'application/json' });
    response.end(typeof answered.body === 'string' ? answered.body : JSON.stringify(answered.body ?? {}));
  });
  const part = await listen(server);
  return {
    ...part,
    endpoint: `${part.url}/api/v1alpha1/vms`,
    asked: (method: string) => asked.filter((one) => one.method === method && !one.url.endsWith('/health')),
    healthChecks: () => asked.filter(({ url }) => url.endsWith('/health')),
    answers: (next: typeof answer) => {
      answer = next;
    },
    isHealthy: (next: Answer) => {
      health = next;
    },
  };
};
