import type { LambdaClient } from '@aws-sdk/client-lambda';
import { UnavailableError } from '../domain/errors.ts';
import type { StatusPublisher } from '../ports/status-publisher.ts';
import type { CloudEventJson } from '../wire/cloudevents.ts';
import { asRetried, PublicationAnswer } from '../wire/publication.ts';
import { invokeBridge } from './bridge-invocation.ts';

/** Lambda takes 6 MB at once; an event of ours has less than 10 KB, and of one VM there come far fewer at once. */
const maximumEvents = 500;

/** Publishes through the nats-bridge function, which alone has NATS's credentials and a place in its network. */
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

/** What must be published in order stays together. */
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
