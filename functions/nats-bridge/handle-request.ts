import { UnreadableError } from '../../shared/domain/errors.ts';
import type { AgentRequests } from '../../shared/ports/agent-requests.ts';
import type { Log } from '../../shared/ports/log.ts';
import type { Meter } from '../../shared/ports/meter.ts';
import type { NatsProbe } from '../../shared/ports/nats-probe.ts';
import type { StatusPublisher } from '../../shared/ports/status-publisher.ts';
import {
  BridgeRequest,
  type FoundRequest,
  type ProbeAnswer,
  type Streams,
} from '../../shared/wire/bridge-request.ts';
import type { PublicationAnswer } from '../../shared/wire/publication.ts';
import { publishRequest } from './publish-request.ts';

type Parts = {
  readonly publisher: StatusPublisher;
  readonly probe: NatsProbe;
  readonly agentRequests: AgentRequests;
  /** Where agentRequests looks. */
  readonly requestStreams: readonly string[];
  /** @throws UnavailableError */
  readonly streamNames: () => Promise<string[]>;
  readonly log: Log;
  readonly meter: Meter;
};

/**
 * Everything that needs NATS, for those who have neither its credentials nor a place in its network.
 * @throws UnreadableError where the request is none of BridgeRequest; what AgentRequests and streamNames throw.
 */
export const handleRequest = ({ publisher, log, meter, ...parts }: Parts) => {
  const { probe, agentRequests, requestStreams, streamNames } = parts;
  const publish = publishRequest({ publisher, log, meter });
  return async (request: unknown): Promise<PublicationAnswer | ProbeAnswer | FoundRequest | Streams> => {
    const { data: asked } = BridgeRequest.safeParse(request);
    if (asked === undefined) throw new UnreadableError(`expected ${requests}`);
    if ('events' in asked) return publish(asked);
    if (asked.do === 'find-request')
      return (await agentRequests.find(asked.idempotencyKey)) ?? { resourceId: null };
    if (asked.do === 'list-streams')
      return { names: await streamNames(), requestStreams: [...requestStreams] };
    const [state, unreadableRequests] = await Promise.all([probe(), agentRequests.check()]);
    return state.connected && unreadableRequests !== undefined ? { ...state, unreadableRequests } : state;
  };
};

const requests =
  '{ "events": [CloudEvent, …] } in the JSON event format, { "do": "probe" }, { "do": "list-streams" }, or { "do": "find-request", "idempotencyKey": … }';
