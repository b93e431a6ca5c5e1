import { join } from 'node:path';
import type { Keep } from './keeper.ts';
import type { StackOptions } from './options.ts';
import { type ControlPlane, startControlPlane } from './parts/control-plane/start.ts';
import { findNatsServer } from './parts/nats-server/find-nats-server.ts';
import { type NatsServer, startNatsServer } from './parts/nats-server/start-nats-server.ts';

export type Dcm = {
  readonly natsUrl: string;
  readonly controlPlane: ControlPlane;
  /** undefined where another NATS is used. */
  readonly nats: NatsServer | undefined;
};

/** DCM's side: its NATS, and a control plane that keeps the rows. */
export const startDcm = async (options: StackOptions, keep: Keep): Promise<Dcm> => {
  const nats = options.natsUrl ? undefined : await keep(startNats(options));
  const natsUrl = options.natsUrl ?? nats?.url ?? '';
  const controlPlane = await keep(
    startControlPlane({
      natsUrl,
      strict: options.strict ?? false,
      log: (line) => options.log('control-plane', line),
    }),
  );
  return { natsUrl, controlPlane, nats };
};

const startNats = async ({ folder, log, progress }: StackOptions): Promise<NatsServer> => {
  const binary = await findNatsServer({ log: (line) => progress('nats-server', line) });
  const storeDir = join(folder, 'jetstream');
  return startNatsServer({ binary, storeDir, log: (line) => log('nats-server', line) });
};
