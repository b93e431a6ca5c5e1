import '../../shared/runtime/schema-messages.ts';
import { natsAgentRequests } from '../../shared/adapters/nats/agent-requests.ts';
import { natsLink } from '../../shared/adapters/nats/connection.ts';
import { natsAccess } from '../../shared/adapters/nats/credentials.ts';
import { natsEventStream } from '../../shared/adapters/nats/event-stream.ts';
import { natsProbe } from '../../shared/adapters/nats/probe.ts';
import { natsStreams } from '../../shared/adapters/nats/streams.ts';
import { SecretsManagerEnvironment, secretsManager } from '../../shared/adapters/secrets/secrets-manager.ts';
import { log, meter, withTelemetry } from '../../shared/runtime/telemetry.ts';
import { statusSubject } from '../../shared/wire/cloudevents.ts';
import { Env } from './env.ts';
import { handleRequest } from './handle-request.ts';
import { publishEvents } from './publish-events.ts';

const env = Env.parse(process.env);
const readSecret = secretsManager(SecretsManagerEnvironment.parse(process.env));
const access = natsAccess(env.NATS_CREDENTIALS_SECRET, readSecret);
const link = natsLink(env.NATS_URL.split(','), access);
const publisher = publishEvents(natsEventStream(link));
const statusSubjects = env.SERVICE_TYPES.map(statusSubject);
const probe = natsProbe(link, statusSubjects);
const requestStreams = env.AGENT_REQUESTS_STREAM;
const agentRequests = natsAgentRequests(link, requestStreams);
const streams = natsStreams(link, statusSubjects);

export const handler = withTelemetry(
  handleRequest({
    ...{ publisher, probe, agentRequests, requestStreams, statusSubjects, streams },
    ...{ log, meter },
  }),
);
