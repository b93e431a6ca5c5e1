import { eventOf } from './consumer.ts';
import type { EventFeed, Received } from './events.ts';
import type { Session } from './session.ts';

/** A resource from create to end. */
export type Lifetime = {
  readonly id: string;
  /** When the create was answered, by the clock of the events. */
  readonly answeredAt: number;
  /** Everything on the status stream that mentions the resource, in its order. */
  readonly events: readonly Received[];
  /** What a GET said once the stream had told that it runs; undefined where it never did. */
  readonly statusRead: string | undefined;
  readonly isReady: boolean;
  readonly isDeleted: boolean;
};

/** After the end, how long to listen for what should not come any more. */
const aftermathMs = 3_000;

/** Creates, waits until it runs, creates again with the same id, deletes, waits for the end, and a little longer. */
export const liveOnce = async (session: Session, feed: EventFeed): Promise<Lifetime> => {
  const { provider, vocabulary, specOf, eventually, pause, now } = session;
  const id = session.newId();
  const events = () => feed.received.filter(({ payload }) => payload.includes(id));
  const has = (...wanted: readonly string[]) =>
    eventually(() => events().some((event) => wanted.includes(statusOf(event) ?? '')));

  await provider.create(id, { spec: specOf(id) });
  const answeredAt = now();
  const isReady = await has(...vocabulary.ready.flatMap(inAnyCase));
  const statusRead = isReady ? await readStatus(session, id) : undefined;
  await provider.create(id, { spec: specOf(id) }); // a retry, which must not make it start over
  await provider.remove(id);
  const isDeleted = await has(...inAnyCase('DELETED'));
  await pause(aftermathMs);
  return { id, answeredAt, events: events(), statusRead, isReady, isDeleted };
};

/** A status in wrong letters is another check's failure, not a wait for nothing. */
const inAnyCase = (status: string): string[] => [
  status,
  status.toLowerCase(),
  status.charAt(0) + status.slice(1).toLowerCase(),
];

const readStatus = async ({ provider }: Session, id: string): Promise<string> => {
  const { json } = await provider.call('GET', { path: `/${id}` });
  return typeof json === 'object' && json !== null && 'status' in json ? String(json.status) : '';
};

export const dataOf = ({ payload }: Received): Readonly<Record<string, unknown>> => {
  const data = eventOf(payload)?.data;
  return typeof data === 'object' && data !== null ? { ...data } : {};
};

/** The status that an event tells. */
export const statusOf = (event: Received): string | undefined => {
  const { status } = dataOf(event);
  return typeof status === 'string' ? status : undefined;
};
