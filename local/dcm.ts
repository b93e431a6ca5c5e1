import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SettingsError } from '../shared/domain/errors.ts';
import type { Keep } from './keeper.ts';
import type { StackOptions } from './options.ts';
import { type ControlPlane, startControlPlane } from './parts/control-plane/start.ts';
import { startServiceProviderManager } from './parts/dcm/start.ts';
import { findNatsServer } from './parts/nats-server/find-nats-server.ts';
import { type NatsServer, startNatsServer } from './parts/nats-server/start-nats-server.ts';

export type Dcm = {
  readonly natsUrl: string;
  readonly controlPlaneUrl: string;
  /** The stand-in; undefined where DCM's own is used. */
  readonly controlPlane: ControlPlane | undefined;
  /** undefined where another NATS is used. */
  readonly nats: NatsServer | undefined;
};

/**
 * DCM's side: its NATS, and a control plane that keeps the rows: the stand-in, DCM's own, or one that runs elsewhere. What an earlier run
 * left in the folder is of VMs that are no more, and goes.
 */
export const startDcm = async (options: StackOptions, keep: Keep): Promise<Dcm> => {
  for (const kept of [jetStreamIn(options), dcmIn(options)]) await rm(kept, { recursive: true, force: true });
  const nats = options.natsUrl ? undefined : await keep(startNats(options));
  const natsUrl = options.natsUrl ?? nats?.url ?? '';
  const { controlPlaneUrl } = options;
  if (controlPlaneUrl !== undefined)
    return { natsUrl, controlPlaneUrl: withoutPath(controlPlaneUrl), controlPlane: undefined, nats };
  if (options.controlPlane === 'dcm') {
    const { url } = await keep(startReal(options, natsUrl));
    return { natsUrl, controlPlaneUrl: url, controlPlane: undefined, nats };
  }
  const controlPlane = await keep(startStandIn(options, natsUrl));
  return { natsUrl, controlPlaneUrl: controlPlane.url, controlPlane, nats };
};

const jetStreamIn = ({ folder }: StackOptions): string => join(folder, 'jetstream');
const dcmIn = ({ folder }: StackOptions): string => join(folder, 'dcm');

const startNats = async (options: StackOptions): Promise<NatsServer> => {
  const { log, progress } = options;
  const binary = await findNatsServer({ log: (line) => progress('nats-server', line) });
  return startNatsServer({
    binary,
    storeDir: jetStreamIn(options),
    log: (line) => log('nats-server', line),
  });
};

const startStandIn = (options: StackOptions, natsUrl: string): Promise<ControlPlane> =>
  startControlPlane({
    natsUrl,
    strict: options.strict ?? false,
    ...(options.healthIntervalMs !== undefined && { healthIntervalMs: options.healthIntervalMs }),
    log: (line) => options.log('control-plane', line),
  });

const startReal = (options: StackOptions, natsUrl: string) =>
  startServiceProviderManager({
    natsUrl,
    folder: dcmIn(options),
    log: (line) => options.log('control-plane', line),
    progress: (line) => options.progress('control-plane', line),
  });

const withoutPath = (url: string): string => {
  if (!URL.canParse(url)) throw new SettingsError(`--control-plane-url is ${url}, and no URL`);
  return url.replace(/\/+$/, '');
};
