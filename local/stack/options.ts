import { reasonOf, SettingsError } from '../../shared/core/errors.ts';
import { defaultAccount } from '../emulators/callers.ts';
import { connectToNats } from '../emulators/dcm/nats-connection.ts';
import type { Ec2SimulatorOptions } from '../emulators/ec2/start-ec2-simulator.ts';
import type { EcsEmulatorOptions } from '../emulators/ecs/start-ecs-emulator.ts';
import type { EksEmulatorOptions } from '../emulators/eks/start-eks-emulator.ts';
import { executable } from '../processes/installing.ts';

/** Name of our provider at DCM, on a laptop. */
export const provider = 'ec2-sp';

/** The environment agent's name on a laptop, from which the names of its streams are made. */
export const agentName = 'laptop';

/** The home account on a laptop. */
export const account = defaultAccount;

/** The other account on a laptop. Its regions, and the VPCs there, have the names of the home account's. */
export const prod = { alias: 'prod', id: '222222222222' } as const;

/** The agent of the other account's streaming region. */
export const prodAgentName = `${agentName}-${prod.alias}`;

/** The simulated EC2 and ECS send no events from here, so it is polled. */
export const silentRegion = 'us-west-2';
type Dwell = NonNullable<Ec2SimulatorOptions['dwellMs']>;

export type StackOptions = {
  /** Folder of the stack's files: JetStream's store, endpoints.json. */
  readonly folder: string;
  /** A NATS server that runs already. @default nats-server is started */
  readonly natsUrl?: string | undefined;
  /** A DynamoDB and an SQS that run already, both empty. @default emulators are started in this process */
  readonly dynamodbUrl?: string | undefined;
  readonly sqsUrl?: string | undefined;
  /** Whether the account `prod` is played too. Needs the emulators of EC2, ECS and EKS. @default the home account alone */
  readonly accounts?: boolean | undefined;
  /** An EC2 endpoint, or `aws` for EC2 itself. @default the simulator is started */
  readonly ec2Endpoint?: string | undefined;
  /** Whether the normaliser puts statuses on the status bus, for the change feed and usage. @default true */
  readonly hasStatusBus?: boolean | undefined;
  /** Whether containers get public addresses, for which ECS and EC2 are asked when they run. VMs have none. @default true */
  readonly hasPublicContainers?: boolean | undefined;
  /** `old`: the DCM before environment agents, whose control plane calls providers itself. @default today */
  readonly generation?: 'today' | 'old' | undefined;
  /** An older control plane that runs already: the provider registers there. */
  readonly controlPlaneUrl?: string | undefined;
  /** `dcm`: DCM's own service provider manager, of the older generation, built from its source. */
  readonly controlPlane?: 'dcm' | undefined;
  /** An environment agent that runs already: the provider registers there. Needs `natsUrl`, the NATS server of that agent. */
  readonly agentUrl?: string | undefined;
  /** That agent's AGENT_TOPIC_NAME, or else its AGENT_NAME; the names of its streams are made from it. */
  readonly agentTopic?: string | undefined;
  /** Path of DCM's environment agent, built by the user, instead of its emulator. */
  readonly agentBin?: string | undefined;
  /** How many requests the agent's emulator handles at the same time. @default 1, as the environment agent does */
  readonly agentConcurrency?: number | undefined;
  /** Pause between two health checks of DCM. @default 10,000, as in DCM */
  readonly healthIntervalMs?: number | undefined;
  /** Skips status events of unknown VMs, as today's control plane does, instead of adding a row. */
  readonly strict?: boolean | undefined;
  readonly dwellMs?: Dwell | undefined;
  /** Faults of the simulated EC2 from the start, such as `silentRegions`. */
  readonly ec2Faults?: Ec2SimulatorOptions['faults'];
  /** Durations and faults of the emulated ECS. */
  readonly ecs?: Pick<EcsEmulatorOptions, 'dwellMs' | 'faults' | 'onTransition'> | undefined;
  /** Durations and faults of the emulated EKS. @default eksDwellMs (aws.ts) */
  readonly eks?: Pick<EksEmulatorOptions, 'dwellMs' | 'faults' | 'onTransition'> | undefined;
  /** Shortest pause between two listings of a region. @default 10, as deployed */
  readonly pollFloorSeconds?: number | undefined;
  /** Pause between two listings of a collection that only the inventory has. @default 60; 3,600 as deployed */
  readonly inventorySeconds?: number | undefined;
  /** Seconds between two runs of the canary; a deployment has 60. @default there is no canary, as in a deployment without `canary` */
  readonly canarySeconds?: number | undefined;
  /** Visibility timeout of the observations queue. @default 90, as deployed */
  readonly visibilityTimeoutSeconds?: number | undefined;
  /** Called for steps that take time, such as building nats-server. */
  readonly progress: (component: string, line: string) => void;
  /** Called for each log line of a component. */
  readonly log: (component: string, line: string) => void;
  /** Called at each transition of a simulated instance. */
  readonly onTransition?: Ec2SimulatorOptions['onTransition'];
};

/** The home region: us-east-1 in the emulators, else the region of the user's AWS environment. */
export const homeRegion = ({ ec2Endpoint }: Pick<StackOptions, 'ec2Endpoint'>): string =>
  ec2Endpoint ? (process.env.AWS_REGION ?? 'us-east-1') : 'us-east-1';

type GivenOptions = Pick<
  StackOptions,
  'ec2Endpoint' | 'controlPlaneUrl' | 'agentUrl' | 'agentBin' | 'natsUrl'
>;

/**
 * Checks what a user gave, before anything is started.
 * @throws SettingsError that names the option, what was given and what was expected
 */
export const checkOptions = async (options: GivenOptions): Promise<void> => {
  const { ec2Endpoint, controlPlaneUrl, agentUrl, agentBin } = options;
  if (ec2Endpoint !== undefined && ec2Endpoint !== 'aws')
    httpUrlOf('--ec2-endpoint', ec2Endpoint, '"aws" or an http(s) URL');
  if (controlPlaneUrl !== undefined) checkOrigin('--control-plane-url', controlPlaneUrl);
  if (agentUrl !== undefined) checkOrigin('--agent-url', agentUrl);
  if (agentBin !== undefined && !(await executable(agentBin)))
    throw new SettingsError(`the environment agent ${agentBin} is not a file that can be run`);
  await checkNats(options);
};

const httpUrlOf = (option: string, given: string, expected = 'an http or https URL'): URL => {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new SettingsError(`${option} is ${given}, which is not ${expected}`);
  return url;
};

/** The API's path is appended to such a URL. */
const checkOrigin = (option: string, given: string): void => {
  const { origin, pathname } = httpUrlOf(option, given);
  if (!/^\/+$/.test(pathname))
    throw new SettingsError(`${option} is ${given}: leave the path out, as in ${origin}`);
};

const checkNats = async ({ agentUrl, natsUrl }: GivenOptions): Promise<void> => {
  if (agentUrl !== undefined && natsUrl === undefined)
    throw new SettingsError(
      '--agent-url needs --nats-url: the NATS server of that agent, which has its requests',
    );
  if (natsUrl === undefined) return;
  const expected = 'it must be the URL of a NATS server that is running, such as nats://127.0.0.1:4222';
  const given = natsUrl.replace(/\/\/.*@/, '//'); // without the password
  if (!/^((nats|tls):\/\/)?[^/\s]+\/?$/.test(natsUrl))
    throw new SettingsError(`--nats-url is ${given}: ${expected}`);
  const connection = await connectToNats(natsUrl, () => undefined).catch((error) => {
    throw new SettingsError(`--nats-url is ${given} (${reasonOf(error)}): ${expected}`);
  });
  await connection.close();
};
