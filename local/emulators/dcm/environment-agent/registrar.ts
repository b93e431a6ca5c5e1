import { setTimeout as sleep } from 'node:timers/promises';
import ky, { isHTTPError } from 'ky';
import * as z from 'zod';
import { reasonOf } from '../../../../shared/core/errors.ts';

const Registered = z.object({ agent_id: z.string().min(1) });

type Options = {
  readonly controlPlaneUrl: string;
  readonly agentName: string;
  /** NATS subject that it is asked on. */
  readonly topicName: string;
  /** The types of the providers that are not unavailable. */
  readonly serviceTypes: () => readonly string[];
  /** Messages that it has not acknowledged. */
  readonly lag: () => Promise<number>;
  readonly heartbeatMs: number;
  /** Before the second attempt to register; each next one waits twice as long, at most five minutes. */
  readonly backoffMs: number;
  readonly log: (line: string) => void;
};

const longestBackoffMs = 300_000;

/**
 * Registers the agent at the control plane once it has a type to offer, again when something changes, and sends heartbeats. A refusal other
 * than 429 ends it.
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
  /** Until something changes, or for so long. */
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
  const firstly = async (attempt = 0): Promise<string | undefined> => {
    while (!signal.aborted && serviceTypes().length === 0) {
      isChanged = false;
      await pause(5_000);
    }
    if (signal.aborted) return undefined;
    try {
      return await register();
    } catch (error) {
      log(`not registered at the control plane: ${reasonOf(error)}`);
      if (isRefusal(error)) return undefined;
    }
    await pause(Math.min(options.backoffMs * 2 ** attempt, longestBackoffMs) * Math.random());
    return firstly(attempt + 1);
  };
  const running = (async () => {
    let agentId = await firstly();
    while (!signal.aborted && agentId !== undefined) {
      await pause(options.heartbeatMs);
      if (signal.aborted) return;
      try {
        if (isChanged) agentId = await register();
        else await beat(agentId);
      } catch (error) {
        log(`the control plane did not take the agent's registration or heartbeat: ${reasonOf(error)}`);
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
