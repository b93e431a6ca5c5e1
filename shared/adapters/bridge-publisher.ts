import type { LambdaClient } from '@aws-sdk/client-lambda';
import { UnavailableError } from '../domain/errors.ts';
import type { StatusPublisher } from '../ports/status-publisher.ts';
import { PublicationAnswer } from '../wire/publication.ts';
import { invokeBridge } from './bridge-invocation.ts';

/** Publishes through the nats-bridge function, which alone has NATS's credentials and a place in its network. */
export const bridgePublisher = (client: LambdaClient, bridge: string): StatusPublisher => ({
  async publish(events) {
    try {
      return PublicationAnswer.parse(await invokeBridge({ client, bridge }, { events: [...events] }));
    } catch (cause) {
      throw new UnavailableError(`${bridge} did not say what became of ${events.length} events`, { cause });
    }
  },
});
