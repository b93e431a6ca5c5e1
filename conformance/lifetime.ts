import { eventOf } from './consumer.ts';
import type { EventFeed, Received } from './events.ts';
import { must } from './outcome.ts';
import { idOf } from './provider.ts';
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

/**
 * Creates, waits until it runs, creates again with the same id, deletes, waits for the end, and a little longer.
 * @throws NotConforming where it is not created, or no event comes.
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
  await create(id).catch(() => undefined); // a retry, which must not make it start over
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
