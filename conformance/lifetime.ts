import { eventOf } from './consumer.ts';
import type { EventFeed, Received } from './events.ts';
import { must } from './outcome.ts';
import { idOf } from './provider.ts';
import type { Session } from './session.ts';

/** What was observed of a resource, from its create to its end. */
export type Lifetime = {
  readonly id: string;
  /** When the create was answered, on the clock of the events. */
  readonly answeredAt: number;
  /** The messages on the status stream that mention the resource, in order. */
  readonly events: readonly Received[];
  /** The status in GET after an event had reported that the resource runs; undefined without such an event. */
  readonly statusRead: string | undefined;
  readonly isReady: boolean;
  readonly isDeleted: boolean;
  /** When the delete was answered, on the clock of the events. */
  readonly deletedAt: number;
};

/** How long to listen after DELETED for events that should not come. */
const listenAfterEndMs = 3_000;

/**
 * Creates a resource, waits until it runs, repeats the create with the same id, deletes the resource, waits for DELETED and a little longer.
 * @throws NotConforming where the resource is not created, or no event comes.
 */
export const liveOnce = async (session: Session, feed: EventFeed): Promise<Lifetime> => {
  const { provider, vocabulary, create, eventually, pause, now } = session;
  const wanted = session.newId();
  const id = idOf((await create(wanted)).json) ?? wanted;
  const answeredAt = now();
  const events = () => feed.received.filter(({ payload }) => payload.includes(id));
  const has = (...statuses: readonly string[]) =>
    eventually(() => events().some((event) => statuses.includes(statusOf(event) ?? '')));

  const isReady = await has(...vocabulary.ready.flatMap(inAnyCase));
  must(events().length > 0, 'no event came');
  const statusRead = isReady ? await readStatus(session, id) : undefined;
  await create(id).catch(() => undefined); // a retry, which must not start the resource again
  await provider.remove(id);
  const deletedAt = now();
  const isDeleted = await has(...inAnyCase('DELETED'));
  await pause(listenAfterEndMs);
  return { id, answeredAt, events: events(), statusRead, isReady, isDeleted, deletedAt };
};

/** A status in the wrong case fails another check; this one should not wait until its timeout. */
const inAnyCase = (status: string): string[] => [
  status,
  status.toLowerCase(),
  status.charAt(0) + status.slice(1).toLowerCase(),
];

const readStatus = async ({ provider }: Session, id: string): Promise<string> => {
  const { json } = await provider.read(id);
  return typeof json === 'object' && json !== null && 'status' in json ? String(json.status) : '';
};

export const dataOf = ({ payload }: Received): Readonly<Record<string, unknown>> => {
  const data = eventOf(payload)?.data;
  return typeof data === 'object' && data !== null ? { ...data } : {};
};

/** The status in an event. */
export const statusOf = (event: Received): string | undefined => {
  const { status } = dataOf(event);
  return typeof status === 'string' ? status : undefined;
};
