import type { AgentRequests } from '../../shared/ports/agent-requests.ts';
import { createRequest } from '../../shared/wire/agent-requests.ts';

/** The AgentRequests port in memory: `messages` are those of the stream, and may change. */
export const memoryAgentRequests = (messages: readonly string[]): AgentRequests => ({
  find: async (key) => {
    const requests = messages.map((text) => createRequest(Buffer.from(text)));
    const found = requests.findLast((request) => request?.id === key);
    return found ? { resourceId: found.resourceId, serviceType: found.serviceType } : null;
  },
  check: async () => undefined,
});
