import { jetstreamManager } from '@nats-io/jetstream';
import { reasonOf, UnavailableError } from '../../core/errors.ts';
import { forbiddenSubject, type NatsLink } from './connection.ts';

const timeoutMs = 2_000;

/** The names of all JetStream streams. @throws UnavailableError where they cannot be listed; it names a missing permission. */
export const natsStreamNames = (link: NatsLink) => async (): Promise<string[]> => {
  try {
    const nc = await link.ready();
    const { streams } = await jetstreamManager(nc, { checkAPI: false, timeout: timeoutMs });
    const names: string[] = [];
    for await (const name of streams.names()) names.push(name);
    link.worked();
    return names;
  } catch (cause) {
    const forbidden = forbiddenSubject(cause);
    const reason =
      forbidden === undefined ? reasonOf(cause) : `the NATS user may not publish on ${forbidden}`;
    throw new UnavailableError(`the streams cannot be listed: ${reason}`, { cause });
  }
};
