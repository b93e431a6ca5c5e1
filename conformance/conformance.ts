import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { connect } from '@nats-io/transport-node';
import { disposables, type Use } from '../local/processes/disposables.ts';
import { serve } from '../local/processes/loopback.ts';
import { agentRequests } from './agent-requests.ts';
import type { Group } from './check.ts';
import { followEvents } from './events.ts';
import { openSession } from './open-session.ts';
import { type Options, providerOf, specOf } from './options.ts';
import { reasonOf } from './outcome.ts';
import { probe } from './probe.ts';
import { registry as newRegistry } from './registry.ts';
import { type Result, runChecks } from './run.ts';
import type { Given, Outside } from './session.ts';
import { vocabularyOf } from './vocabulary.ts';

type Watch = {
  /** Ends the run before its next check, and ends all waits; created resources are still deleted. */
  readonly cancel: AbortSignal;
  readonly onResult: (result: Result) => void;
  /** Called with messages that are not results of checks. */
  readonly say: (line: string) => void;
  /** @default the commands of the options */
  readonly outside?: Outside;
};

/**
 * Runs the checks of these groups, and deletes the resources that they created. @returns the results
 * @throws Error in one sentence where no check can be run: no provider, no NATS, no stream, no spec.
 */
export const conformance = async (
  options: Options,
  groups: readonly Group[],
  { cancel, onResult, say, outside = commandsOf(options) }: Watch,
): Promise<readonly Result[]> => {
  const provider = providerOf(options);
  const spec = await specOf(options);
  await probe(provider);
  const { use, stop } = disposables();
  try {
    const session = openSession({
      provider,
      spec,
      serviceType: options.serviceType,
      vocabulary: vocabularyOf(options.serviceType),
      timeoutMs: options.timeout * 1_000,
      ...(await natsParts(options, use)),
      ...(await registryParts(options, use, say)),
      ...{ outside, controlPlane: options.controlPlane },
      fetch,
      now: Date.now,
      pause: (ms) => sleep(ms, undefined, { signal: cancel }),
    });
    return await runChecks(groups, session, { onResult, isCancelled: () => cancel.aborted });
  } finally {
    const left = await provider.cleanUp();
    if (left.length > 0) say(`not deleted: ${left.join(', ')}`);
    await stop();
  }
};

const runInShell = async (option: string, command: string, environment: NodeJS.ProcessEnv = {}) => {
  const env = { ...process.env, ...environment };
  await promisify(execFile)('sh', ['-c', command], { env }).catch((cause: unknown) => {
    throw new Error(`the command of ${option} failed: ${reasonOf(cause)}`);
  });
};

const commandsOf = ({ restartNats, stopOutside }: Options): Outside => ({
  ...(restartNats && { restartNats: () => runInShell('--restart-nats', restartNats) }),
  ...(stopOutside && {
    stop: (id: string) => runInShell('--stop-outside', stopOutside, { RESOURCE_ID: id }),
  }),
});

const natsParts = async (
  { nats, agentTopic, serviceType }: Options,
  use: Use,
): Promise<Pick<Given, 'feed' | 'agentRequests'>> => {
  if (nats === undefined) return {};
  const { username, password, host, protocol } = new URL(nats);
  const server = `${protocol}//${host}`;
  const login = { user: decodeURIComponent(username), pass: decodeURIComponent(password) };
  const nc = await connect({
    servers: server,
    name: 'dcm-conformance',
    timeout: natsTimeoutMs,
    maxReconnectAttempts: -1, // a check restarts NATS
    reconnectTimeWait: 250,
    ...(username && login),
  }).catch((cause: unknown) => {
    throw new Error(`NATS at ${server} (--nats) cannot be connected to: ${reasonOf(cause)}`);
  });
  await use({ [Symbol.asyncDispose]: () => nc.close() });
  const feed = await use(followEvents(nc, `dcm.${serviceType}`)).catch((cause: unknown) => {
    throw new Error(`the status events at NATS ${server} (--nats) cannot be read: ${reasonOf(cause)}`);
  });
  return { feed, agentRequests: await use(agentRequests(nc, agentTopic)) };
};

const natsTimeoutMs = 5_000;

const registryParts = async (
  { registryPort, registryToken }: Options,
  use: Use,
  say: Watch['say'],
): Promise<Pick<Given, 'registry'>> => {
  if (registryPort === undefined) return {};
  const registry = newRegistry({ token: registryToken });
  const { url } = await use(serve(registry.fetch, registryPort)).catch((cause: unknown) => {
    throw new Error(`--registry-port ${registryPort} cannot be listened on: ${reasonOf(cause)}`);
  });
  say(`the provider must register at ${url}/api/v1alpha1/providers`);
  if (registryToken !== undefined) say(`a token is answered at ${url}/token`);
  return { registry };
};
