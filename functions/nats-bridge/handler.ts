import '../../shared/runtime/schema-messages.ts';
import { natsAccess } from '../../shared/adapters/nats-credentials.ts';
import { natsEventStream } from '../../shared/adapters/nats-event-stream.ts';
import { log, meter, withTelemetry } from '../../shared/runtime/telemetry.ts';
import { Env } from './env.ts';
import { handleRequest } from './handle-request.ts';
import { publishEvents } from './publish-events.ts';

const env = Env.parse(process.env);
const access = natsAccess({
  secretId: env.NATS_CREDENTIALS_SECRET,
  port: env.PARAMETERS_SECRETS_EXTENSION_HTTP_PORT,
  sessionToken: env.AWS_SESSION_TOKEN,
});
const publisher = publishEvents(natsEventStream(env.NATS_URL.split(','), access));

export const handler = withTelemetry(handleRequest({ publisher, log, meter }));
