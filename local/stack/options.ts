import type { Ec2SimulatorOptions } from '../emulators/ec2/start-ec2-simulator.ts';

/** Our name at DCM, on a laptop. */
export const provider = 'ec2-sp';

/** The environment agent's name on a laptop, and the base of its streams. */
export const agentName = 'laptop';

/** AWS's account, on a laptop. */
export const account = '123456789012';

/** The simulated EC2 sends no events from here, so it is polled. */
export const silentRegion = 'us-west-2';
type Dwell = NonNullable<Ec2SimulatorOptions['dwellMs']>;

export type StackOptions = {
  /** Where the stack keeps its files: JetStream's store, endpoints.json. */
  readonly folder: string;
  /** A NATS that runs already; left out, nats-server is started. */
  readonly natsUrl?: string | undefined;
  /** A DynamoDB and an SQS that run already, both empty; left out, emulators are started in this process. */
  readonly dynamodbUrl?: string | undefined;
  readonly sqsUrl?: string | undefined;
  /** An EC2 endpoint, or `aws` for EC2 itself; left out, the simulator is started. */
  readonly ec2Endpoint?: string | undefined;
  /** `old`: the DCM before environment agents, whose control plane calls providers itself. @default today */
  readonly generation?: 'today' | 'old' | undefined;
  /** An older control plane that runs already: the provider registers there. */
  readonly controlPlaneUrl?: string | undefined;
  /** `dcm`: DCM's own service provider manager, which is of the older generation, built from its source. */
  readonly controlPlane?: 'dcm' | undefined;
  /** An environment agent that runs already: the provider registers there. Its NATS must be given too. */
  readonly agentUrl?: string | undefined;
  /** The base of that agent's streams: its AGENT_TOPIC_NAME, else its AGENT_NAME. */
  readonly agentTopic?: string | undefined;
  /** An environment agent that its user has built, instead of the stand-in. */
  readonly agentBin?: string | undefined;
  /** How many requests the stand-in for the agent handles at once. @default 1, as the environment agent does */
  readonly agentConcurrency?: number | undefined;
  /** From one health check of DCM to the next. @default 10,000, as DCM */
  readonly healthIntervalMs?: number | undefined;
  /** Status events of unknown VMs are skipped, as today's control plane does, and do not add a row. */
  readonly strict?: boolean | undefined;
  readonly dwellMs?: Dwell | undefined;
  /** What the simulated EC2 does badly from the start, such as `silentRegions`. */
  readonly ec2Faults?: Ec2SimulatorOptions['faults'];
  /** A region is never listed more often. @default 10, as deployed */
  readonly pollFloorSeconds?: number | undefined;
  /** How long a message that a function did not finish stays hidden. @default 90, as deployed */
  readonly visibilityTimeoutSeconds?: number | undefined;
  /** Hears of steps that take time, such as building nats-server. */
  readonly progress: (part: string, line: string) => void;
  /** Hears what a part says, one line at a time. */
  readonly log: (part: string, line: string) => void;
  /** Told at each transition of a simulated instance, in milliseconds. */
  readonly onTransition?: Ec2SimulatorOptions['onTransition'];
};
