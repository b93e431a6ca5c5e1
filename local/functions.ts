import type { Env as NatsBridgeEnv } from '../functions/nats-bridge/env.ts';
import type { Env as NormaliserEnv } from '../functions/normaliser/env.ts';
import type { PolledRegion, Env as PollerEnv } from '../functions/poller/env.ts';
import { requestStreams } from '../shared/wire/agent-requests.ts';
import type { LambdaFunction } from './emulators/lambda/lambda-function.ts';
import { account, silentRegion } from './options.ts';
import { providerApi, registration } from './provisioning-functions.ts';
import {
  awsClients,
  functionName,
  homeRegion,
  identity,
  named,
  powertools,
  regions,
  type Wiring,
} from './wiring.ts';

/**
 * The functions as infra/ deploys them, wired to the laptop's parts. Where they differ from AWS is in what an SDK client reads from its
 * environment, nowhere else.
 */
export const localFunctions = (wiring: Wiring): LambdaFunction[] => [
  normaliser(wiring),
  natsBridge(wiring),
  poller(wiring),
  providerApi(wiring),
  registration(wiring),
];

const normaliser = (wiring: Wiring): LambdaFunction => ({
  ...named(wiring.provider, 'normaliser'),
  timeoutMs: 15_000,
  memoryMb: 512,
  concurrency: 2,
  environment: {
    ...awsClients(wiring),
    ...powertools('normaliser'),
    ...({
      ...identity(wiring.provider),
      FLEET_TABLE: wiring.aws.resourceTable,
      OBSERVATIONS_QUEUE_URL: wiring.aws.observationsQueueUrl,
      NATS_BRIDGE: functionName(wiring.provider, 'nats-bridge'),
      DEAD_LETTER_QUEUE_URL: wiring.aws.deadLetterQueueUrl,
      REGIONS: JSON.stringify(regions(wiring.options)),
      ...(wiring.options.ec2Endpoint === undefined && { ACCOUNT_ID: account }),
      BURST: '8', // a life that takes EC2 minutes is over in seconds here
    } satisfies NormaliserEnv),
  },
});

const natsBridge = ({ provider, natsUrl, dcm: { agent } }: Wiring): LambdaFunction => ({
  ...named(provider, 'nats-bridge'),
  timeoutMs: 10_000,
  concurrency: 2,
  environment: {
    ...powertools('nats-bridge'),
    ...({
      NATS_URL: natsUrl,
      AGENT_REQUESTS_STREAM: requestStreams(agent ? [agent.topic] : []).join(','),
    } satisfies NatsBridgeEnv),
  },
});

const poller = (wiring: Wiring): LambdaFunction => ({
  ...named(wiring.provider, 'poller'),
  timeoutMs: 15_000,
  memoryMb: 512,
  environment: {
    ...awsClients(wiring),
    ...powertools('poller'),
    ...({
      ...identity(wiring.provider),
      FLEET_TABLE: wiring.aws.resourceTable,
      OBSERVATIONS_QUEUE_URL: wiring.aws.observationsQueueUrl,
      REGIONS: JSON.stringify(polledRegions(wiring.options)),
      POLL_FLOOR_SECONDS: String(wiring.options.pollFloorSeconds ?? 10),
    } satisfies PollerEnv),
  },
});

/** The simulator's regions; another EC2 sends no events here, so all there is of it is what polling shows. */
const polledRegions = (options: Wiring['options']): PolledRegion[] =>
  options.ec2Endpoint
    ? [{ region: homeRegion(options), kind: 'legacy' }]
    : [
        { region: homeRegion(options), kind: 'streaming' },
        { region: silentRegion, kind: 'legacy' },
      ];
