import type { LambdaClient } from '@aws-sdk/client-lambda';
import { reasonOf, SettingsError, UnavailableError } from '../domain/errors.ts';
import type { AgentRequests } from '../ports/agent-requests.ts';
import { FoundRequest } from '../wire/bridge-request.ts';
import { invokeBridge } from './bridge-invocation.ts';

/** The bridge searches for two seconds at most, and may have to connect; an agent waits sixty for all of a create. */
const timeoutMs = 5_000;

/** Has the nats-bridge look among the requests to environment agents. */
export const bridgeAgentRequests = (client: LambdaClient, bridge: string): Pick<AgentRequests, 'find'> => ({
  async find(idempotencyKey) {
    try {
      const request = { do: 'find-request', idempotencyKey } as const;
      const { answer } = await invokeBridge({ client, bridge, timeoutMs }, request);
      const { resourceId, ...rest } = FoundRequest.parse(answer);
      return resourceId === null ? null : { resourceId, ...rest };
    } catch (cause) {
      if (cause instanceof SettingsError) throw cause;
      throw new UnavailableError(
        `${bridge} did not say which resource the request ${idempotencyKey} is for: ${reasonOf(cause)}`,
        { cause },
      );
    }
  },
});
