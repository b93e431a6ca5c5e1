import { jetstreamManager } from '@nats-io/jetstream';
import { reasonOf } from '../../core/errors.ts';
import type { NatsProbe, NatsState } from '../../ports/health-probes.ts';
import { forbiddenSubject, type NatsLink } from './connection.ts';

/** A health check has five seconds in all, which include the invocation of the nats-bridge. */
const timeoutMs = 1_000;

/** Asks NATS which stream has the subject. Without permission for that, the probe shows only that NATS answers. */
export const natsProbe =
  (link: NatsLink, subject: string): NatsProbe =>
  async () => {
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<NatsState>((resolve) => {
      timer = setTimeout(resolve, timeoutMs, unanswered);
    });
    const state = await Promise.race([ask(link, subject), silence]);
    clearTimeout(timer);
    if (state === unanswered) link.abandon();
    return state;
  };

const unanswered = { connected: false, reason: `NATS does not answer within ${timeoutMs} ms` } as const;

const ask = async (link: NatsLink, subject: string): Promise<NatsState> => {
  try {
    const nc = await link.ready();
    const manager = await jetstreamManager(nc, { checkAPI: false, timeout: timeoutMs });
    await manager.streams.find(subject);
    link.worked();
    return { connected: true };
  } catch (error) {
    if (forbiddenSubject(error) !== undefined) return { connected: true };
    return { connected: false, reason: explain(error, subject) };
  }
};

const explain = (error: unknown, subject: string): string => {
  const name = error instanceof Error ? error.name : '';
  if (name === 'StreamNotFoundError')
    return `no stream has the subject ${subject} (DCM creates its stream dcm-status when it starts)`;
  return name === 'JetStreamNotEnabled' ? 'NATS runs without JetStream' : reasonOf(error);
};
