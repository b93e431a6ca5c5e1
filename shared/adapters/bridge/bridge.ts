import type { LambdaClient } from '@aws-sdk/client-lambda';
import { reasonOf, SettingsError, UnavailableError } from '../../core/errors.ts';
import type { AgentRequests } from '../../ports/agent-requests.ts';
import type { NatsProbe } from '../../ports/health-probes.ts';
import type { StatusPublisher } from '../../ports/status-publisher.ts';
import {
  asRetried,
  type BridgeRequest,
  FoundRequest,
  ProbeAnswer,
  PublicationAnswer,
} from '../../wire/bridge.ts';
import type { CloudEventJson } from '../../wire/cloudevents.ts';
import { invokeFunction } from '../aws/function-invocation.ts';

/** Lambda accepts 6 MB in one call; an event of ours has less than 10 KB, and one VM never has so many at once. */
const maximumEvents = 500;

/** Publishes through the nats-bridge, the only function with the NATS credentials and access to the network of NATS. */
export const bridgePublisher = (client: LambdaClient, bridge: string): StatusPublisher => ({
  async publish(events) {
    try {
      const answers = await Promise.all(
        portionsOf(events).map(async (portion) => {
          const { answer, attempts } = await invokeBridge({ client, bridge }, { events: portion });
          const { acknowledged, failed } = PublicationAnswer.parse(answer);
          return { acknowledged: attempts > 1 ? asRetried(acknowledged) : acknowledged, failed };
        }),
      );
      return {
        acknowledged: answers.flatMap(({ acknowledged }) => acknowledged),
        failed: answers.flatMap(({ failed }) => failed),
      };
    } catch (cause) {
      throw new UnavailableError(`${bridge} did not say what became of ${events.length} events`, { cause });
    }
  },
});

/** Events with one key stay in one portion, because they are published in order. */
const portionsOf = (events: readonly CloudEventJson[]): CloudEventJson[][] => {
  const byKey = new Map<string | CloudEventJson, CloudEventJson[]>();
  for (const event of events) {
    const key = event.partitionkey ?? event;
    const ordered = byKey.get(key);
    if (ordered) ordered.push(event);
    else byKey.set(key, [event]);
  }
  const portions: CloudEventJson[][] = [];
  for (const ordered of byKey.values()) {
    const last = portions.at(-1);
    if (last && last.length + ordered.length <= maximumEvents) last.push(...ordered);
    else portions.push(ordered);
  }
  return portions;
};

/** The bridge searches for two seconds at most, and may have to connect first; an agent waits sixty for a create. */
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

/** A cold start of the nats-bridge takes one second, and NATS another; DCM waits five seconds for the health check. */
const timeoutMsBridgeProbe = 3_000;

/** Has the nats-bridge probe NATS. A bridge that does not answer counts as NATS not connected. */
export const bridgeProbe =
  (client: LambdaClient, bridge: string): NatsProbe =>
  async () => {
    try {
      const { answer } = await invokeBridge(
        { client, bridge, timeoutMs: timeoutMsBridgeProbe },
        { do: 'probe' },
      );
      return ProbeAnswer.parse(answer);
    } catch (error) {
      return { connected: false, reason: `${bridge} did not answer: ${reasonOf(error)}` };
    }
  };

type Invocation = {
  readonly client: LambdaClient;
  /** Name or ARN of the nats-bridge function. */
  readonly bridge: string;
  /** @default the client's timeout */
  readonly timeoutMs?: number;
};

/** The answer of the nats-bridge, and the number of the SDK's attempts, from 1. Throws as invokeFunction does. */
const invokeBridge = ({ client, bridge, timeoutMs }: Invocation, request: BridgeRequest) =>
  invokeFunction({ client, functionName: bridge, timeoutMs }, request);
