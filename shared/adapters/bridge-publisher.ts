import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { UnavailableError } from '../domain/errors.ts';
import type { StatusPublisher } from '../ports/status-publisher.ts';
import { PublicationAnswer, type PublicationRequest } from '../wire/publication.ts';

/** Publishes through the nats-bridge function, which alone has NATS's credentials and a place in its network. */
export const bridgePublisher = (client: LambdaClient, bridge: string): StatusPublisher => ({
  async publish(events) {
    const request = { events: [...events] } satisfies PublicationRequest;
    const command = new InvokeCommand({
      FunctionName: bridge,
      Payload: Buffer.from(JSON.stringify(request)),
    });
    try {
      const { FunctionError, Payload } = await client.send(command);
      const text = Buffer.from(Payload ?? []).toString();
      if (FunctionError !== undefined) throw new Error(`${FunctionError}: ${text}`);
      return PublicationAnswer.parse(JSON.parse(text));
    } catch (cause) {
      throw new UnavailableError(`${bridge} did not say what became of ${events.length} events`, { cause });
    }
  },
});
