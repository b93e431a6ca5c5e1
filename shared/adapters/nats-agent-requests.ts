import { jetstreamManager } from '@nats-io/jetstream';
import { LRUCache } from 'lru-cache';
import { reasonOf, SettingsError, UnavailableError } from '../domain/errors.ts';
import type { AgentRequests } from '../ports/agent-requests.ts';
import type { Clock } from '../ports/clock.ts';
import { createRequest } from '../wire/agent-request.ts';
import { forbiddenSubject, type NatsLink } from './nats-connection.ts';
import { visitMessages } from './nats-stream-messages.ts';

const timeoutMs = 2_000;

/**
 * Reads the streams that hold the requests, and changes nothing there. An agent acknowledges a request, which removes it, only after we
 * have answered its create; so it is among the newest, or, where the agent has fallen behind, among the oldest. What was read on the way
 * is remembered: of creates that come together, the first pays.
 */
export const natsAgentRequests = (
  link: NatsLink,
  streams: readonly string[],
  now: Clock = Date.now,
): AgentRequests => {
  const resourceIds = new LRUCache<string, string>({ max: 5_000 });
  let turn: Promise<unknown> = Promise.resolve();

  const search = async (key: string): Promise<string | null> => {
    const nc = await link.ready();
    const { streams: api } = await jetstreamManager(nc, { checkAPI: false, timeout: timeoutMs });
    const deadline = now() + timeoutMs;
    const visit = {
      see: ({ data }: { readonly data: Uint8Array }) => {
        const request = createRequest(data);
        if (request) resourceIds.set(request.id, request.resourceId);
      },
      isOver: () => resourceIds.has(key) || now() > deadline,
    };
    for (const stream of streams) {
      const read = (query: Parameters<typeof api.getMessage>[1]) => api.getMessage(stream, query);
      const complete = await visitMessages(read, visit).catch(translate(stream));
      link.worked();
      const found = resourceIds.get(key);
      if (found !== undefined) return found;
      if (!complete)
        throw new UnavailableError(`${stream} holds too many messages to find ${key} among them`);
    }
    return null;
  };

  return {
    async find(key) {
      if (streams.length === 0)
        throw new SettingsError(
          'AGENT_REQUESTS_STREAM is not set: it must name the JetStream stream that holds the requests to agents',
        );
      const mine = turn.then(() => resourceIds.get(key) ?? search(key));
      turn = mine.catch(() => undefined); // one after the other: the next may find what this one has read
      return resourceIds.get(key) ?? mine;
    },
  };
};

const translate =
  (stream: string) =>
  (cause: unknown): never => {
    const forbidden = forbiddenSubject(cause);
    const reason =
      forbidden === undefined ? reasonOf(cause) : `the NATS user may not publish on ${forbidden}`;
    throw new UnavailableError(`${stream} cannot be read: ${reason}`, { cause });
  };
