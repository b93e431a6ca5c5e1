import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import ky from 'ky';
import type { ServiceType } from '../../shared/core/kind.ts';
import { catalogItemIdOf, catalogItemOf, policyOf } from '../demo/catalog-item.ts';
import { startControlPlane } from '../emulators/dcm/control-plane/start.ts';
import {
  defaultPace,
  type EnvironmentAgent,
  startEnvironmentAgent,
} from '../emulators/dcm/environment-agent/start.ts';
import { startAgentBinary } from '../emulators/dcm/environment-agent/start-binary.ts';
import { startControlPlane as startOlderControlPlane } from '../emulators/dcm/older-control-plane/start.ts';
import { startServiceProviderManager } from '../emulators/dcm/service-provider-manager/start.ts';
import type { Watched } from '../emulators/dcm/status-history.ts';
import { findNatsServer } from '../emulators/nats-server/find-nats-server.ts';
import { type NatsServer, startNatsServer } from '../emulators/nats-server/start-nats-server.ts';
import type { Use } from '../processes/disposables.ts';
import type { ListeningProcess } from '../processes/listening-process.ts';
import type { LocalServer } from '../processes/loopback.ts';
import type { Ending } from '../processes/tied-process.ts';
import { agentName, prod, prodAgentName, type StackOptions } from './options.ts';

/** An emulator of DCM's control plane, of either generation, as tests and the demo use it. */
export type ControlPlaneEmulator = Watched & {
  row(id: string): Promise<{ readonly status: string } | undefined>;
  /** Deletes all rows, as a restore of an empty backup does. */
  forget(): Promise<void>;
};

export type Dcm = {
  readonly natsUrl: string;
  /** Where users create VMs; empty where only the agent's URL was given. */
  readonly controlPlaneUrl: string;
  /** Where the provider registers. */
  readonly registryUrl: string;
  /** undefined where the control plane calls providers itself. */
  readonly agent: { readonly url: string; readonly topic: string } | undefined;
  /** The agent of the other account; undefined where there is none, or no agent for it. */
  readonly prodAgent?: { readonly url: string; readonly topic: string } | undefined;
  /** This and the next are undefined where DCM's own programs are used, or ones that ran already. */
  readonly controlPlane: ControlPlaneEmulator | undefined;
  readonly agentEmulator: EnvironmentAgent | undefined;
  /** undefined where `natsUrl` was given. */
  readonly nats: NatsServer | undefined;
};

/**
 * Starts DCM's side: NATS, and today's control plane with an environment agent, or an older control plane, unless the options name ones
 * that run already. Deletes the data of earlier runs first, because their VMs no longer exist.
 */
export const startDcm = async (options: StackOptions, use: Use): Promise<Dcm> => {
  for (const path of ['jetstream', 'dcm', 'agent'].map((name) => join(options.folder, name)))
    await rm(path, { recursive: true, force: true });
  const nats = options.natsUrl ? undefined : await use(startNats(options));
  const natsUrl = options.natsUrl ?? nats?.url ?? '';
  return { natsUrl, nats, ...(await startControlPlaneSide(options, natsUrl, use)) };
};

type Side = Omit<Dcm, 'natsUrl' | 'nats'>;

const startControlPlaneSide = async (options: StackOptions, natsUrl: string, use: Use): Promise<Side> => {
  if (options.agentUrl !== undefined) {
    const url = withoutLastSlash(options.agentUrl);
    const agent = { url, topic: options.agentTopic ?? agentName };
    return { ...noEmulators, controlPlaneUrl: '', registryUrl: url, agent };
  }
  if (options.controlPlaneUrl !== undefined) return older(withoutLastSlash(options.controlPlaneUrl));
  if (options.controlPlane === 'dcm')
    return older((await use(startServiceProviderManagerOf(options, natsUrl))).url);
  if (options.generation === 'old') {
    const controlPlane = await use(startOlderEmulator(options, natsUrl));
    return { ...older(controlPlane.url), controlPlane };
  }
  return startTodaysDcm(options, natsUrl, use);
};

const withoutLastSlash = (url: string): string => url.replace(/\/+$/, '');

const noEmulators = {
  ...{ agent: undefined, controlPlane: undefined, agentEmulator: undefined },
};

const older = (url: string): Side => ({ ...noEmulators, controlPlaneUrl: url, registryUrl: url });

const startTodaysDcm = async (options: StackOptions, natsUrl: string, use: Use): Promise<Side> => {
  const controlPlane = await use(
    startControlPlane({
      ...{ natsUrl, strict: options.strict ?? false, log: (line) => options.log('control-plane', line) },
    }),
  );
  for (const serviceType of ['vm', 'container', 'cluster'] satisfies ServiceType[])
    await ky.post(`${controlPlane.url}/api/v1alpha1/catalog-items`, {
      ...{ searchParams: { id: catalogItemIdOf(serviceType) }, json: catalogItemOf(serviceType) },
    });
  const startNamed = async (name: string) => {
    const part = name === agentName ? 'agent' : 'agent-prod';
    const about = { name, natsUrl, controlPlaneUrl: controlPlane.url, ...logOf(options, part) };
    const emulator = options.agentBin === undefined ? await use(startAgent(options, about)) : undefined;
    const agent: LocalServer = emulator ?? (await use(startAgentProgram(options, about)));
    return { emulator, agent: { url: agent.url, topic: name } };
  };
  const { agent, emulator: agentEmulator } = await startNamed(agentName);
  const prodAgent = options.accounts ? (await startNamed(prodAgentName)).agent : undefined;
  if (prodAgent !== undefined) await placeByAccount(controlPlane.url);
  return {
    ...{ controlPlaneUrl: controlPlane.url, registryUrl: agent.url, controlPlane },
    ...{ agent, prodAgent, agentEmulator },
  };
};

/** An agent accepts one provider of a service type, so each account has an agent, and policies choose it by the label of a catalog item. */
const placeByAccount = async (controlPlaneUrl: string): Promise<void> => {
  const api = ky.create({ prefixUrl: `${controlPlaneUrl}/api/v1alpha1` });
  await api.post('catalog-items', {
    ...{ searchParams: { id: catalogItemIdOf('vm', prod.alias) }, json: catalogItemOf('vm', prod.alias) },
  });
  await api.post('policies', { json: policyOf(agentName) });
  await api.post('policies', { json: policyOf(prodAgentName, prod.alias) });
};

const logOf = (options: StackOptions, part: string) => ({ log: (line: string) => options.log(part, line) });

type AboutAgent = Pick<
  Parameters<typeof startAgentBinary>[0],
  'name' | 'natsUrl' | 'controlPlaneUrl' | 'log'
>;

const startAgent = ({ folder, healthIntervalMs, agentConcurrency }: StackOptions, about: AboutAgent) =>
  startEnvironmentAgent({
    ...{ ...about, persistencePath: join(folder, 'agent', `${about.name}.registrations`) },
    ...(agentConcurrency !== undefined && { concurrency: agentConcurrency }),
    ...(healthIntervalMs !== undefined && {
      pace: { health: { ...defaultPace.health, intervalMs: healthIntervalMs } },
    }),
  });

/** The program's health interval is at least one second. */
const startAgentProgram = (options: StackOptions, about: AboutAgent): Promise<ListeningProcess> => {
  const { agentBin: path = '', folder, healthIntervalMs } = options;
  const seconds =
    healthIntervalMs === undefined ? undefined : Math.max(1, Math.round(healthIntervalMs / 1000));
  return reportUnexpectedEnd(
    options,
    'agent',
    startAgentBinary({
      ...{ ...about, path, folder: join(folder, 'agent', about.name) },
      ...(seconds !== undefined && {
        environment: { AGENT_HEALTH_CHECK_INTERVAL: `${seconds}s`, AGENT_HEALTH_CHECK_TIMEOUT: '900ms' },
      }),
    }),
  );
};

const startNats = async (options: StackOptions): Promise<NatsServer> => {
  const { log, progress } = options;
  const binary = await findNatsServer({ log: (line) => progress('nats-server', line) });
  return startNatsServer({
    binary,
    storeDir: join(options.folder, 'jetstream'),
    log: (line) => log('nats-server', line),
    onUnexpectedEnd: (ending) => progress('nats-server', unexpectedEnd('nats-server', ending, 'nats-server')),
  });
};

const startOlderEmulator = (options: StackOptions, natsUrl: string) =>
  startOlderControlPlane({
    natsUrl,
    strict: options.strict ?? false,
    ...(options.healthIntervalMs !== undefined && { healthIntervalMs: options.healthIntervalMs }),
    ...logOf(options, 'control-plane'),
  });

const startServiceProviderManagerOf = (options: StackOptions, natsUrl: string) =>
  reportUnexpectedEnd(
    options,
    'control-plane',
    startServiceProviderManager({
      natsUrl,
      folder: join(options.folder, 'dcm'),
      ...logOf(options, 'control-plane'),
      progress: (line) => options.progress('control-plane', line),
    }),
  );

/** Prints a line when a program of DCM's ends by itself. */
const reportUnexpectedEnd = async (
  { progress }: StackOptions,
  part: string,
  starting: Promise<ListeningProcess>,
): Promise<ListeningProcess> => {
  const program = await starting;
  let isStopping = false;
  void program.ended.then((ending) => {
    if (!isStopping) progress(part, unexpectedEnd("DCM's program", ending, part));
  });
  return {
    ...program,
    [Symbol.asyncDispose]: () => {
      isStopping = true;
      return program[Symbol.asyncDispose]();
    },
  };
};

const unexpectedEnd = (program: string, { code, signal }: Ending, part: string): string =>
  `${program} ended unexpectedly (${signal ?? `exit code ${code}`}); see .local/logs/${part}.log`;
