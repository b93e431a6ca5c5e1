import * as z from 'zod/mini';
import { reasonOf } from '../../shared/domain/errors.ts';
import type { Log } from '../../shared/ports/log.ts';
import type { Meter } from '../../shared/ports/meter.ts';
import type { StatusPublisher } from '../../shared/ports/status-publisher.ts';
import { CloudEventJson, isCloudEventJson } from '../../shared/wire/cloudevents.ts';
import type { PublicationAnswer, PublicationRequest } from '../../shared/wire/publication.ts';

type Parts = { readonly publisher: StatusPublisher; readonly log: Log; readonly meter: Meter };

/**
 * Publishes the events of a request, from our own normaliser or from any other workload of the account, and answers for each of them.
 * What is no CloudEvent is answered as failed, and does not hold up the others.
 */
export const publishRequest =
  ({ publisher, log, meter }: Parts) =>
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
