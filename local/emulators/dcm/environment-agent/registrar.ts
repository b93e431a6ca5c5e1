import { setTimeout as sleep } from 'node:timers/promises';
import ky, { isHTTPError } from 'ky';
import * as z from 'zod';
import { reasonOf } from '../../../../shared/core/errors.ts';

const Registered = z.object({ agent_id: z.string().min(1) });

type Options = {
  readonly controlPlaneUrl: string;
  readonly agentName: string;
  /** NATS subject of the agent's requests. */
  readonly topicName: string;
  /** Service types of the providers that are not Unavailable. */
  readonly serviceTypes: () => readonly string[];
  /** Number of messages that the agent has not acknowledged. */
  readonly lag: () => Promise<number>;
  readonly heartbeatMs: number;
  /** Longest pause before the second attempt to register, with full jitter. It doubles with each attempt, up to five minutes. */
  readonly backoffMs: number;
  readonly log: (line: string) => void;
};

const maximumBackoffMs = 300_000;

/**
 * Registers the agent at the control plane once it has a service type, registers it again when the types change, and sends heartbeats. A
 * refusal other than 429 ends the registrar.
 * @see https://github.com/dcm-project/environment-agent (internal/dcm/registrar.go)
 */
export const startRegistrar = (options: Options): AsyncDisposable & { readonly changed: () => void } => {
  const { log, serviceTypes } = options;
  const api = ky.create({ prefixUrl: `${options.controlPlaneUrl}/api/v1alpha1`, retry: 0, timeout: 10_000 });
  const stopping = new AbortController();
  const { signal } = stopping;
  let wake = () => {};
  let isChanged = false;
  const changed = () => {
    isChanged = true;
    wake();
  };
  /** Waits until the service types change, for at most `ms`. */
  const pause = async (ms: number) => {
    if (isChanged || signal.aborted) return;
    const over = new AbortController();
    wake = () => over.abort();
    await sleep(ms, undefined, { signal: AbortSignal.any([over.signal, signal]) }).catch(() => {});
  };
  const register = async (): Promise<string> => {
    isChanged = false;
    const json = {
      ...{ name: options.agentName, environment: 'laptop', cost: 'low', topic_name: options.topicName },
      service_types: serviceTypes(),
    };
    return Registered.parse(await api.post('agents', { json }).json()).agent_id;
  };
  const beat = async (agentId: string) => {
    const json = { timestamp: new Date().toISOString(), consumer_lag: await options.lag() };
    await api.put(`agents/${agentId}/heartbeat`, { json });
  };
  const registerFirst = async (attempt = 0): Promise<string | undefined> => {
    while (!signal.aborted && serviceTypes().length === 0) {
      isChanged = false;
      await pause(5_000);
    }
    if (signal.aborted) return undefined;
    try {
      return await register();
    } catch (error) {
      log(`registration at the control plane failed: ${reasonOf(error)}`);
      if (isRefusal(error)) return undefined;
    }
    await pause(Math.min(options.backoffMs * 2 ** attempt, maximumBackoffMs) * Math.random());
    return registerFirst(attempt + 1);
  };
  const running = (async () => {
    let agentId = await registerFirst();
    while (!signal.aborted && agentId !== undefined) {
      await pause(options.heartbeatMs);
      if (signal.aborted) return;
      try {
        if (isChanged) agentId = await register();
        else await beat(agentId);
      } catch (error) {
        log(`registration or heartbeat at the control plane failed: ${reasonOf(error)}`);
      }
    }
  })();
  return {
    changed,
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await running;
    },
  };
};

const isRefusal = (error: unknown): boolean =>
  isHTTPError(error) && error.response.status < 500 && error.response.status !== 429;
