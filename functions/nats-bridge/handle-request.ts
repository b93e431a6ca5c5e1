import * as z from 'zod/mini';
import { reasonOf, UnreadableError } from '../../shared/core/errors.ts';
import type { AgentRequests } from '../../shared/ports/agent-requests.ts';
import type { NatsProbe } from '../../shared/ports/health-probes.ts';
import type { StatusPublisher } from '../../shared/ports/status-publisher.ts';
import type { Log, Meter } from '../../shared/ports/telemetry.ts';
import {
  BridgeRequest,
  type FoundRequest,
  type NatsStreams,
  type ProbeAnswer,
  type PublicationAnswer,
  type PublicationRequest,
  type Streams,
} from '../../shared/wire/bridge.ts';
import { CloudEventJson, isCloudEventJson } from '../../shared/wire/cloudevents.ts';

type Parts = {
  readonly publisher: StatusPublisher;
  readonly probe: NatsProbe;
  readonly agentRequests: AgentRequests;
  /** The streams that `agentRequests` reads. */
  readonly requestStreams: readonly string[];
  /** The subjects that `probe` checks. */
  readonly statusSubjects: readonly string[];
  /** @throws UnavailableError */
  readonly streams: () => Promise<NatsStreams>;
  readonly log: Log;
  readonly meter: Meter;
};

/**
 * Does all work with NATS for functions that have neither its credentials nor access to its network.
 * @throws UnreadableError where the request is not a BridgeRequest, and the errors of AgentRequests and streams.
 */
export const handleRequest = ({ publisher, log, meter, ...parts }: Parts) => {
  const { probe, agentRequests, requestStreams, statusSubjects, streams } = parts;
  const publish = publishRequest({ publisher, log, meter });
  return async (request: unknown): Promise<PublicationAnswer | ProbeAnswer | FoundRequest | Streams> => {
    const { data: asked } = BridgeRequest.safeParse(request);
    if (asked === undefined) throw new UnreadableError(`expected ${requests}`);
    if ('events' in asked) return publish(asked);
    if (asked.do === 'find-request')
      return (await agentRequests.find(asked.idempotencyKey)) ?? { resourceId: null };
    if (asked.do === 'list-streams')
      return {
        ...(await streams()),
        requestStreams: [...requestStreams],
        statusSubjects: [...statusSubjects],
      };
    const [state, unreadableRequests] = await Promise.all([probe(), agentRequests.check()]);
    return state.connected && unreadableRequests !== undefined ? { ...state, unreadableRequests } : state;
  };
};

const requests =
  '{ "events": [CloudEvent, …] } in the JSON event format, { "do": "probe" }, { "do": "list-streams" }, or { "do": "find-request", "idempotencyKey": … }';

type PublishRequestParts = { readonly publisher: StatusPublisher; readonly log: Log; readonly meter: Meter };

/**
 * Publishes the events of a request, from our normaliser or from any other workload of the account, and answers for each of them.
 * An event that is not a CloudEvent is answered as failed, and does not delay the others.
 */
export const publishRequest =
  ({ publisher, log, meter }: PublishRequestParts) =>
  async (request: PublicationRequest): Promise<PublicationAnswer> => {
    const { events, refused } = sort(request);
    const { acknowledged, failed } = await publisher.publish(events);
    meter.count('published', acknowledged.length);
    meter.count('duplicate', acknowledged.filter(({ duplicate }) => duplicate).length);
    const unpublished = [...failed, ...refused];
    meter.count('unpublished', unpublished.length);
    if (unpublished.length > 0) {
      log.warn('events were not published', { events: unpublished.length, first: unpublished[0] });
    }
    return { acknowledged, failed: unpublished };
  };

const sort = (request: PublicationRequest) => {
  const events: CloudEventJson[] = [];
  const refused: PublicationAnswer['failed'] = [];
  for (const [index, candidate] of request.events.entries()) {
    if (isCloudEventJson(candidate)) events.push(candidate);
    else
      refused.push({
        id: idOf(candidate, index),
        retryable: false,
        reason: reasonOf(CloudEventJson.safeParse(candidate).error),
      });
  }
  return { events, refused };
};

const idOf = (candidate: unknown, index: number): string =>
  z.object({ id: z.string().check(z.minLength(1)) }).safeParse(candidate).data?.id ?? `events[${index}]`;
