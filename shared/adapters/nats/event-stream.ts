import { JetStreamApiError, type JetStreamClient, jetstream } from '@nats-io/jetstream';
import { errors } from '@nats-io/nats-core';
import { reasonOf, UnavailableError, UnreadableError } from '../../core/errors.ts';
import type { EventStream } from '../../ports/event-stream.ts';
import type { NatsLink } from './connection.ts';

const acknowledgeTimeoutMs = 2_000;

/**
 * DCM's status stream: the JetStream stream with the event's subject. A missing stream is handled as an outage and never created: DCM owns
 * it, and a stream of another name on the same subject would keep DCM's consumer from starting.
 */
export const natsEventStream = (link: NatsLink): EventStream => {
  let connection: unknown;
  let js: JetStreamClient | undefined;

  return {
    abandon() {
      js = undefined;
      link.abandon();
    },

    async ready() {
      const nc = await link.ready();
      if (js && connection === nc) return;
      js = jetstream(nc, { timeout: acknowledgeTimeoutMs });
      connection = nc;
    },

    async append(event) {
      if (!js) throw new UnavailableError(`NATS is not connected: ${event.id} was not published`);
      try {
        const bytes = Buffer.from(JSON.stringify(event)); // nats.js would take longer to encode a string
        const acknowledgement = await js.publish(event.subject, bytes, { msgID: event.id });
        link.worked();
        return acknowledgement;
      } catch (cause) {
        if (isPermanent(cause))
          throw new UnreadableError(`NATS can never take ${event.id}: ${reasonOf(cause)}`, { cause });
        throw new UnavailableError(`${event.subject} did not acknowledge ${event.id}: ${explain(cause)}`, {
          cause,
        });
      }
    },
  };
};

/**
 * JetStream's error codes for an event that does not fit: larger than the stream's max_msg_size, or with an id that makes the headers larger
 * than 64 KiB.
 * @see https://github.com/nats-io/nats-server/blob/main/server/errors.json
 */
const tooLargeCodes: readonly number[] = [10054, 10097];

/** nats.js itself refuses events that are larger than the server's max_payload, and ids that are not allowed in a header. */
const isPermanent = (error: unknown): boolean =>
  error instanceof errors.InvalidArgumentError ||
  (error instanceof JetStreamApiError && tooLargeCodes.includes(error.code));

/** Where no stream has the subject, nats.js reports that JetStream is not enabled. */
const explain = (error: unknown): string =>
  error instanceof Error && error.name === 'JetStreamNotEnabled'
    ? 'no stream has this subject (DCM creates its stream dcm-status when it starts)'
    : reasonOf(error);
