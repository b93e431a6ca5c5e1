import { Hono } from 'hono';
import { cors } from 'hono/cors';
import * as z from 'zod';
import { reasonOf } from '../../shared/core/errors.ts';
import { ServiceType } from '../../shared/core/kind.ts';
import { clusterSpec, containerSpec, vmSpec } from '../demo/catalog-item.ts';
import type { Ec2Simulator } from '../emulators/ec2/start-ec2-simulator.ts';
import type { EcsEmulator } from '../emulators/ecs/start-ecs-emulator.ts';
import type { EksEmulator } from '../emulators/eks/start-eks-emulator.ts';
import type { NatsServer } from '../emulators/nats-server/start-nats-server.ts';
import { type LocalServer, serve } from '../processes/loopback.ts';

type Options = {
  /** The origin of the console: the only one that may ask. */
  readonly consoleOrigin: string;
  /** The token of the provider-api, which the console is given. */
  readonly token: string;
  /** Undefined: another NATS is used. */
  readonly nats: NatsServer | undefined;
  /** This and the next are undefined where another EC2 is used. */
  readonly ec2: Ec2Simulator | undefined;
  readonly ecs: EcsEmulator | undefined;
  readonly eks: EksEmulator | undefined;
};

/** A fault of a whole emulator, on or off. */
type Fault = {
  readonly label: string;
  /** What it shows. */
  readonly about: string;
  readonly set: (isOn: boolean) => void;
};

type Emulators = Pick<Options, 'ec2' | 'ecs' | 'eks'>;

const faultsOf = ({ ec2, ecs, eks }: Emulators): Readonly<Record<string, Fault>> => ({
  ...(ec2 && {
    'ec2-lost-events': {
      label: 'EC2 loses its events',
      about: 'Checks and listings find every change all the same, within seconds.',
      set: (isOn: boolean) => ec2.faults({ loseEvents: isOn ? 1 : 0 }),
    },
    'ec2-repeated-events': {
      label: 'EC2 repeats and swaps events',
      about: 'Each status is published once, in order.',
      set: (isOn: boolean) => ec2.faults({ repeatEvents: isOn ? 0.5 : 0, swapEvents: isOn ? 0.5 : 0 }),
    },
    'ec2-outage': {
      label: 'EC2 does not answer',
      about: 'The providers of VMs turn unhealthy; containers and clusters go on.',
      set: (isOn: boolean) => ec2.faults({ outage: isOn ? 'refuses' : undefined }),
    },
    'ec2-throttling': {
      label: 'EC2 throttles half of all calls',
      about: 'Calls are retried; listings take longer.',
      set: (isOn: boolean) => ec2.faults({ throttle: isOn ? 0.5 : 0 }),
    },
    'ec2-empty-listings': {
      label: 'EC2 lists no instances',
      about: 'Nothing is reported as deleted. Where much is missing for ten minutes, the breaker trips.',
      set: (isOn: boolean) => ec2.faults({ emptyListings: isOn }),
    },
  }),
  ...(ecs && {
    'ecs-outage': {
      label: 'ECS does not answer',
      about: 'The providers of containers turn unhealthy; VMs and clusters go on.',
      set: (isOn: boolean) => ecs.faults({ outage: isOn ? 'refuses' : undefined }),
    },
  }),
  ...(eks && {
    'eks-outage': {
      label: 'EKS does not answer',
      about: 'The providers of clusters turn unhealthy; VMs and containers go on.',
      set: (isOn: boolean) => eks.faults({ outage: isOn ? 'refuses' : undefined }),
    },
  }),
});

/** What can happen to one resource without a request, by service type. `resourceId` is the service's own id or name. */
const happenings = ({ ec2, ecs, eks }: Emulators) => {
  type Happening = { readonly label: string; readonly happen: (resourceId: string) => unknown };
  const of: Readonly<Record<ServiceType, Readonly<Record<string, Happening>>>> = {
    vm: ec2
      ? {
          impair: { label: 'Fail its status check', happen: (id) => ec2.impair(id) },
          recover: { label: 'Let it recover', happen: (id) => ec2.recover(id) },
          fail: {
            label: 'Kill it, as a broken host does',
            happen: (id) =>
              ec2.fail(id, {
                code: 'Server.InternalError',
                message: 'Server.InternalError: Internal error on launch',
              }),
          },
          interrupt: {
            label: 'Interrupt it, as Spot does',
            happen: (id) => ec2.interruptSpot(id, { noticeMs: 10_000 }),
          },
        }
      : {},
    container: ecs
      ? {
          exit: { label: 'End its process with code 1', happen: (id) => ecs.exit(id, { code: 1 }) },
          interrupt: { label: 'Interrupt it, as Spot does', happen: (id) => ecs.interruptSpot(id) },
        }
      : {},
    cluster: eks
      ? {
          degrade: {
            label: 'Give it a health issue',
            happen: (name) =>
              eks.clusterIssues(name, [
                {
                  code: 'Ec2SubnetNotFound',
                  message: 'We couldn’t find one or more of the subnets.',
                  resourceIds: [],
                },
              ]),
          },
          recover: { label: 'Take the health issue away', happen: (name) => eks.clusterIssues(name, []) },
        }
      : {},
  };
  return of;
};

const specs = { vm: vmSpec, container: containerSpec, cluster: clusterSpec } as const;

/**
 * What the console does on a laptop besides the provider's API: it gets the token, sets faults of the emulators, and stops NATS. On 127.0.0.1
 * only, for pages of the console's origin only.
 */
export const startControlServer = async (options: Options): Promise<LocalServer> => {
  const { consoleOrigin, token, nats } = options;
  const faults = faultsOf(options);
  const resources = happenings(options);
  const on = new Set<string>();
  let isNatsRunning = true;

  const state = () => ({
    token,
    nats: nats === undefined ? 'external' : isNatsRunning ? 'running' : 'stopped',
    faults: Object.entries(faults).map(([id, { label, about }]) => ({ id, label, about, isOn: on.has(id) })),
    happenings: Object.fromEntries(
      Object.entries(resources).map(([serviceType, all]) => [
        serviceType,
        Object.entries(all).map(([id, { label }]) => ({ id, label })),
      ]),
    ),
  });

  const app = new Hono();
  app.use(cors({ origin: consoleOrigin }));
  app.use(async ({ req, json }, next) => {
    const isMeant = new URL(req.url).hostname === '127.0.0.1'; // not another name that leads here
    const isConsole = req.header('origin') === consoleOrigin;
    return isMeant && isConsole ? next() : json({ detail: 'only the console may ask' }, 403);
  });
  app.onError((error, { json }) => json({ detail: reasonOf(error) }, 400));
  app.get('/state', ({ json }) => json(state()));
  app.get('/specs/:serviceType/:name', ({ req, json }) =>
    json(specs[ServiceType.parse(req.param('serviceType'))](req.param('name'))),
  );
  app.post('/nats', async ({ req, json }) => {
    const { running } = z.object({ running: z.boolean() }).parse(await req.json());
    await (running ? nats?.start() : nats?.stop());
    isNatsRunning = running;
    return json(state());
  });
  app.post('/faults/:id', async ({ req, json, notFound }) => {
    const { isOn } = z.object({ isOn: z.boolean() }).parse(await req.json());
    const id = req.param('id');
    const fault = faults[id];
    if (fault === undefined) return notFound();
    fault.set(isOn);
    if (isOn) on.add(id);
    else on.delete(id);
    return json(state());
  });
  app.post('/resources/:serviceType/:resourceId/:id', async ({ req, json, notFound }) => {
    const { serviceType, resourceId, id } = req.param();
    const happening = resources[ServiceType.parse(serviceType)][id];
    if (happening === undefined) return notFound();
    await happening.happen(resourceId);
    return json(state());
  });
  return serve((request) => app.fetch(request));
};
