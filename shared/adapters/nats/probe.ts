import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { reasonOf } from '../../core/errors.ts';
import type { NatsProbe, NatsState } from '../../ports/health-probes.ts';
import { forbiddenSubject, type NatsLink } from './connection.ts';

/** A health check has five seconds in all, which include the invocation of the nats-bridge. */
const timeoutMs = 1_000;

/** Asks NATS which stream has each subject. Without permission for that, the probe shows only that NATS answers. */
export const natsProbe =
  (link: NatsLink, subjects: readonly string[]): NatsProbe =>
  async () => {
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<NatsState>((resolve) => {
      timer = setTimeout(resolve, timeoutMs, unanswered);
    });
    const state = await Promise.race([ask(link, subjects), silence]);
    clearTimeout(timer);
    if (state === unanswered) link.abandon();
    return state;
  };

const unanswered = { connected: false, reason: `NATS does not answer within ${timeoutMs} ms` } as const;

const ask = async (link: NatsLink, subjects: readonly string[]): Promise<NatsState> => {
  try {
    const nc = await link.ready();
    const manager = await jetstreamManager(nc, { checkAPI: false, timeout: timeoutMs });
    const missing = await Promise.all(subjects.map((subject) => withoutStream(manager, subject)));
    link.worked();
    const [reason] = missing.flatMap((one) => one ?? []);
    return reason === undefined ? { connected: true } : { connected: false, reason };
  } catch (error) {
    if (forbiddenSubject(error) !== undefined) return { connected: true };
    return { connected: false, reason: explain(error) };
  }
};

/** Why statuses on the subject would be lost; undefined where a stream has it. */
const withoutStream = async (manager: JetStreamManager, subject: string): Promise<string | undefined> => {
  try {
    await manager.streams.find(subject);
    return undefined;
  } catch (error) {
    if (nameOf(error) !== 'StreamNotFoundError') throw error;
    return `no stream has the subject ${subject} (DCM creates its stream dcm-status when it starts)`;
  }
};

const explain = (error: unknown): string =>
  nameOf(error) === 'JetStreamNotEnabled' ? 'NATS runs without JetStream' : reasonOf(error);

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');
