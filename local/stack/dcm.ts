import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import ky from 'ky';
import { SettingsError } from '../../shared/core/errors.ts';
import { catalogItem, catalogItemId } from '../demo/catalog-item.ts';
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
import type { Keep } from '../processes/disposables.ts';
import type { ListeningProcess } from '../processes/listening-process.ts';
import type { Part } from '../processes/loopback.ts';
import { agentName, type StackOptions } from './options.ts';

/** A stand-in for DCM's control plane, of either generation, as tests and the demo look into it. */
export type StandIn = Watched & {
  row(id: string): Promise<{ readonly status: string } | undefined>;
  /** Loses everything, as a restore of an empty backup does. */
  forget(): Promise<void>;
};

export type Dcm = {
  readonly natsUrl: string;
  /** Where users create VMs; empty where only an agent is known. */
  readonly controlPlaneUrl: string;
  /** Where the provider registers. */
  readonly registryUrl: string;
  /** undefined where the control plane calls providers itself. */
  readonly agent: { readonly url: string; readonly topic: string } | undefined;
  /** undefined where DCM's own, or one elsewhere, is used; as is the agent's stand-in. */
  readonly controlPlane: StandIn | undefined;
  readonly agentStandIn: EnvironmentAgent | undefined;
  /** undefined where another NATS is used. */
  readonly nats: NatsServer | undefined;
};

/**
 * DCM's side: its NATS, and what keeps the rows: today's control plane with an environment agent, an older control plane, or what runs
 * elsewhere. What an earlier run left in the folder is of VMs that are no more, and goes.
 */
export const startDcm = async (options: StackOptions, keep: Keep): Promise<Dcm> => {
  for (const kept of ['jetstream', 'dcm', 'agent'].map((name) => join(options.folder, name)))
    await rm(kept, { recursive: true, force: true });
  mustNameNats(options);
  const nats = options.natsUrl ? undefined : await keep(startNats(options));
  const natsUrl = options.natsUrl ?? nats?.url ?? '';
  return { natsUrl, nats, ...(await startSide(options, natsUrl, keep)) };
};

type Side = Omit<Dcm, 'natsUrl' | 'nats'>;

const startSide = async (options: StackOptions, natsUrl: string, keep: Keep): Promise<Side> => {
  if (options.agentUrl !== undefined) {
    const url = withoutPath('--agent-url', options.agentUrl);
    const agent = { url, topic: options.agentTopic ?? agentName };
    return { ...nothing, controlPlaneUrl: '', registryUrl: url, agent };
  }
  if (options.controlPlaneUrl !== undefined)
    return older(withoutPath('--control-plane-url', options.controlPlaneUrl));
  if (options.controlPlane === 'dcm') return older((await keep(startReal(options, natsUrl))).url);
  if (options.generation === 'old') {
    const controlPlane = await keep(startOlderStandIn(options, natsUrl));
    return { ...older(controlPlane.url), controlPlane };
  }
  return startTodays(options, natsUrl, keep);
};

const nothing = { agent: undefined, controlPlane: undefined, agentStandIn: undefined };

const older = (url: string): Side => ({ ...nothing, controlPlaneUrl: url, registryUrl: url });

const startTodays = async (options: StackOptions, natsUrl: string, keep: Keep): Promise<Side> => {
  const controlPlane = await keep(
    startControlPlane({
      ...{ natsUrl, strict: options.strict ?? false, log: (line) => options.log('control-plane', line) },
    }),
  );
  await ky.post(`${controlPlane.url}/api/v1alpha1/catalog-items`, {
    ...{ searchParams: { id: catalogItemId }, json: catalogItem },
  });
  const about = { name: agentName, natsUrl, controlPlaneUrl: controlPlane.url, ...logTo(options, 'agent') };
  const agentStandIn = options.agentBin === undefined ? await keep(startAgent(options, about)) : undefined;
  const agent: Part = agentStandIn ?? (await keep(startOwnAgent(options, about)));
  return {
    ...{ controlPlaneUrl: controlPlane.url, registryUrl: agent.url, controlPlane, agentStandIn },
    agent: { url: agent.url, topic: agentName },
  };
};

const logTo = (options: StackOptions, part: string) => ({ log: (line: string) => options.log(part, line) });

type AboutAgent = Pick<
  Parameters<typeof startAgentBinary>[0],
  'name' | 'natsUrl' | 'controlPlaneUrl' | 'log'
>;

const startAgent = ({ folder, healthIntervalMs, agentConcurrency }: StackOptions, about: AboutAgent) =>
  startEnvironmentAgent({
    ...{ ...about, persistencePath: join(folder, 'agent', 'registrations') },
    ...(agentConcurrency !== undefined && { concurrency: agentConcurrency }),
    ...(healthIntervalMs !== undefined && {
      pace: { health: { ...defaultPace.health, intervalMs: healthIntervalMs } },
    }),
  });

/** The program checks health once a second at most. */
const startOwnAgent = (options: StackOptions, about: AboutAgent): Promise<ListeningProcess> => {
  const { agentBin: path = '', folder, healthIntervalMs } = options;
  const seconds =
    healthIntervalMs === undefined ? undefined : Math.max(1, Math.round(healthIntervalMs / 1000));
  return reported(
    options,
    'agent',
    startAgentBinary({
      ...{ ...about, path, folder: join(folder, 'agent') },
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
  });
};

const startOlderStandIn = (options: StackOptions, natsUrl: string) =>
  startOlderControlPlane({
    natsUrl,
    strict: options.strict ?? false,
    ...(options.healthIntervalMs !== undefined && { healthIntervalMs: options.healthIntervalMs }),
    ...logTo(options, 'control-plane'),
  });

const startReal = (options: StackOptions, natsUrl: string) =>
  reported(
    options,
    'control-plane',
    startServiceProviderManager({
      natsUrl,
      folder: join(options.folder, 'dcm'),
      ...logTo(options, 'control-plane'),
      progress: (line) => options.progress('control-plane', line),
    }),
  );

/** Says at the terminal when a program of DCM's ends that nobody has ended. */
const reported = async (
  { progress }: StackOptions,
  part: string,
  starting: Promise<ListeningProcess>,
): Promise<ListeningProcess> => {
  const program = await starting;
  let isWanted = false;
  void program.ended.then(({ code, signal }) => {
    if (!isWanted)
      progress(
        part,
        `DCM's program has ended (${signal ?? `exit code ${code}`}); see .local/logs/${part}.log`,
      );
  });
  return {
    ...program,
    [Symbol.asyncDispose]: () => {
      isWanted = true;
      return program[Symbol.asyncDispose]();
    },
  };
};

const mustNameNats = ({ agentUrl, natsUrl }: StackOptions): void => {
  if (agentUrl !== undefined && natsUrl === undefined)
    throw new SettingsError('--agent-url needs --nats-url: the NATS of that agent, which holds its requests');
};

/** @throws SettingsError where there is a path: the API's own is added to it. */
const withoutPath = (flag: string, given: string): string => {
  if (!URL.canParse(given)) throw new SettingsError(`${flag} is ${given}, and no URL`);
  const { origin, pathname } = new URL(given);
  if (!/^\/+$/.test(pathname))
    throw new SettingsError(`${flag} is ${given}: leave the path out, as in ${origin}`);
  return given.replace(/\/+$/, '');
};
