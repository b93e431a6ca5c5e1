import { setTimeout as delay } from 'node:timers/promises';
import type { JsMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';

const confirmWithinMs = 250;
const retryAfterMs = 100;
const attemptsWhileConnected = 3;

/**
 * Acknowledges a message, and settles when the server has confirmed it, however long an outage takes, or when the
 * connection is closed: a lost acknowledgement would bring an old status back 30 s later. DCM's Go client keeps what it
 * could not send until it is connected again; this one forgets it.
 *
 * A server that was killed may have forgotten its last deliveries. It never confirms those, and makes them again,
 * numbered from where its memory ends: so after the first of them the others are not waited for.
 */
export const acknowledgeOn = (nats: NatsConnection): ((message: JsMsg) => Promise<void>) => {
  const isConnected = connectionProbe(nats);
  let forgottenFrom = Number.POSITIVE_INFINITY;
  return async (message) => {
    const { deliverySequence } = message.info;
    if (deliverySequence > forgottenFrom) return;
    forgottenFrom = Number.POSITIVE_INFINITY;
    for (let attempts = 0; attempts < attemptsWhileConnected; ) {
      if ((await isConfirmed(nats, message)) || nats.isClosed()) return;
      if (await isConnected()) attempts += 1;
      await delay(retryAfterMs);
    }
    forgottenFrom = deliverySequence;
  };
};

/** Not `ackAck`, which can be asked once only. */
const isConfirmed = async (nats: NatsConnection, message: JsMsg): Promise<boolean> => {
  const reply = 'reply' in message && typeof message.reply === 'string' ? message.reply : '';
  try {
    await nats.request(reply, '+ACK', { timeout: confirmWithinMs });
    return true;
  } catch {
    return false;
  }
};

const connectionProbe = (nats: NatsConnection): (() => Promise<boolean>) => {
  let giveUp = () => {};
  void nats.closed().then(() => giveUp()); // who waits for a pong when the connection is closed, waits for ever
  return () =>
    new Promise((resolve) => {
      giveUp = () => resolve(false);
      nats.rtt().then(() => resolve(true), giveUp);
    });
};
