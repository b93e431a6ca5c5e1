import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { EventBridgeEvent } from '../shared/wire/eventbridge.ts';
import { clientConfig } from './client-config.ts';

/** Puts events on the bus of `url` with the AWS SDK, as the region they come from. */
export const forwardToBus = (url: string) => {
  const clients = new Map<string, EventBridgeClient>();
  return async (event: EventBridgeEvent): Promise<void> => {
    const client = clients.get(event.region) ?? new EventBridgeClient(clientConfig(url, event.region));
    clients.set(event.region, client);
    const { FailedEntryCount = 0, Entries } = await client.send(
      new PutEventsCommand({
        Entries: [
          {
            Source: event.source,
            DetailType: event['detail-type'],
            Time: new Date(event.time),
            Resources: [...event.resources],
            Detail: JSON.stringify(event.detail),
          },
        ],
      }),
    );
    if (FailedEntryCount > 0)
      throw new Error(`the event bus refused an event: ${Entries?.[0]?.ErrorMessage}`);
  };
};
