import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '@nats-io/transport-node';
import { type Keep, keeper } from '../../local/keeper.ts';
import { serve } from '../../local/parts/loopback.ts';
import { agentRequests } from './agent-requests.ts';
import type { Group } from './check.ts';
import { followEvents } from './events.ts';
import { groups } from './groups.ts';
import { openSession } from './open-session.ts';
import { type Options, providerOf, specOf } from './options.ts';
import { registry as newRegistry } from './registry.ts';
import { type Result, runChecks } from './run.ts';
import type { Given } from './session.ts';
import { vocabularyOf } from './vocabulary.ts';

type Watch = {
  /** Ends the run before its next check, and whatever a check is waiting for; what was created is still deleted. */
  readonly cancel: AbortSignal;
  readonly onResult: (result: Result) => void;
  /** Hears what happens beside the checks. */
  readonly say: (line: string) => void;
};

/** Makes the checks that were asked for, and deletes what they created. Answers their outcomes. */
export const conformance = async (
  options: Options,
  { cancel, onResult, say }: Watch,
): Promise<readonly Result[]> => {
  const provider = providerOf(options);
  const { keep, stop } = keeper();
  try {
    const session = openSession({
      provider,
      spec: await specOf(options),
      serviceType: options.serviceType,
      vocabulary: vocabularyOf(options.serviceType),
      timeoutMs: options.timeout * 1_000,
      ...(await natsParts(options, keep)),
      ...(await registryParts(options, keep, say)),
      now: Date.now,
      pause: (ms) => sleep(ms, undefined, { signal: cancel }),
    });
    return await runChecks(chosen(options), session, { onResult, isCancelled: () => cancel.aborted });
  } finally {
    const left = await provider.cleanUp();
    if (left.length > 0) say(`not deleted: ${left.join(', ')}`);
    await stop();
  }
};

const natsParts = async ({ nats }: Options, keep: Keep): Promise<Pick<Given, 'feed' | 'askAgent'>> => {
  if (nats === undefined) return {};
  const { username, password, host, protocol } = new URL(nats);
  const login = { user: decodeURIComponent(username), pass: decodeURIComponent(password) };
  const nc = await connect({
    servers: `${protocol}//${host}`,
    name: 'dcm-conformance',
    ...(username && login),
  });
  await keep(Promise.resolve({ [Symbol.asyncDispose]: () => nc.close() }));
  const { ask } = await keep(agentRequests(nc));
  return { feed: await keep(followEvents(nc)), askAgent: ask };
};

const registryParts = async (
  { registryPort }: Options,
  keep: Keep,
  say: Watch['say'],
): Promise<Pick<Given, 'registry'>> => {
  if (registryPort === undefined) return {};
  const registry = newRegistry();
  const { url } = await keep(serve(registry.fetch, registryPort));
  say(`the provider must register at ${url}/api/v1alpha1/providers`);
  return { registry };
};

const chosen = ({ only }: Options): readonly Group[] => {
  const wanted = only?.split(',');
  const isWanted = (id: string) =>
    wanted === undefined || wanted.includes(id) || wanted.includes(id.charAt(0));
  return groups.map((group) => ({ ...group, checks: group.checks.filter(({ id }) => isWanted(id)) }));
};
