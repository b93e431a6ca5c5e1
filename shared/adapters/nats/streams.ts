import { jetstreamManager } from '@nats-io/jetstream';
import { millis } from '@nats-io/nats-core';
import { reasonOf, UnavailableError } from '../../core/errors.ts';
import type { NatsStreams, StatusStream } from '../../wire/bridge.ts';
import { forbiddenSubject, type NatsLink } from './connection.ts';

const timeoutMs = 2_000;

/**
 * The names of all JetStream streams, and those that take messages on the subjects of statuses.
 * @throws UnavailableError where they cannot be listed; it names a missing permission.
 */
export const natsStreams =
  (link: NatsLink, statusSubjects: readonly string[]) => async (): Promise<NatsStreams> => {
    try {
      const nc = await link.ready();
      const { streams } = await jetstreamManager(nc, { checkAPI: false, timeout: timeoutMs });
      const named = async (subject?: string): Promise<string[]> => {
        const names: string[] = [];
        for await (const name of streams.names(subject)) names.push(name);
        return names;
      };
      const inspected = async (name: string): Promise<StatusStream> => {
        try {
          const { config } = await streams.info(name);
          return { name, duplicateWindowMs: millis(config.duplicate_window) };
        } catch (error) {
          if (forbiddenSubject(error) === undefined) throw error;
          return { name };
        }
      };
      const names = await named();
      const taking = new Set((await Promise.all(statusSubjects.map(named))).flat());
      const statusStreams = await Promise.all([...taking].map(inspected));
      link.worked();
      return { names, statusStreams };
    } catch (cause) {
      const forbidden = forbiddenSubject(cause);
      const reason =
        forbidden === undefined ? reasonOf(cause) : `the NATS user may not publish on ${forbidden}`;
      throw new UnavailableError(`the streams cannot be listed: ${reason}`, { cause });
    }
  };
