import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleAll } from '../../infra/bundle.ts';
import { catalogItemId } from '../demo/catalog-item.ts';
import type { EnvironmentAgent } from '../emulators/dcm/environment-agent/start.ts';
import type { Ec2Simulator } from '../emulators/ec2/start-ec2-simulator.ts';
import type { LambdaHost } from '../emulators/lambda/start-lambda-host.ts';
import type { NatsServer } from '../emulators/nats-server/start-nats-server.ts';
import { type Keep, startTogether } from '../processes/disposables.ts';
import { startAws } from './aws.ts';
import { startCompute } from './compute.ts';
import { type Dcm, type StandIn, startDcm } from './dcm.ts';
import type { StackOptions } from './options.ts';

/** Where everything answers, as in `.local/endpoints.json`. */
export type Endpoints = Record<
  | 'natsUrl'
  | 'ec2Url'
  | 'dynamodbUrl'
  | 'sqsUrl'
  | 'eventsUrl'
  | 'lambdaUrl'
  | 'controlPlaneUrl'
  | 'providerApiUrl'
  | 'providerApiToken'
  | 'observationsQueueUrl'
  | 'deadLetterQueueUrl',
  string
> & {
  /** Of the environment agent that the provider is registered at. */
  readonly agentUrl?: string;
  /** What a user of today's DCM can order. */
  readonly catalogItemId?: string;
};

export type Stack = AsyncDisposable & {
  readonly endpoints: Endpoints;
  /** The stand-ins; undefined where DCM's own, or one elsewhere, is used. */
  readonly controlPlane: StandIn | undefined;
  readonly agent: EnvironmentAgent | undefined;
  readonly lambda: LambdaHost;
  /** undefined where another NATS or EC2 is used. */
  readonly nats: NatsServer | undefined;
  readonly ec2: Ec2Simulator | undefined;
};

/**
 * The deployed system on a laptop: the bundles that `cdk deploy` ships, the real nats-server, and stand-ins for the services of AWS and
 * for DCM's control plane. Nothing is left behind when it is disposed of.
 */
export const startStack = (options: StackOptions): Promise<Stack> =>
  startTogether((keep) => start(options, keep));

const start = async (options: StackOptions, keep: Keep): Promise<Omit<Stack, keyof AsyncDisposable>> => {
  await mkdir(options.folder, { recursive: true });
  const [dcm, aws] = await Promise.all([startDcm(options, keep), startAws(options, keep), bundleAll()]);
  const { natsUrl, controlPlaneUrl, controlPlane, agentStandIn: agent, nats } = dcm;
  const surroundings = { options, aws, natsUrl, dcm };
  const { lambda, providerApiUrl, providerApiToken } = await startCompute(surroundings, keep);
  const endpoints = {
    natsUrl,
    ec2Url: aws.ec2Url ?? 'aws',
    dynamodbUrl: aws.dynamodbUrl,
    sqsUrl: aws.sqsUrl,
    eventsUrl: aws.eventsUrl,
    lambdaUrl: lambda.url,
    controlPlaneUrl,
    providerApiUrl,
    providerApiToken,
    observationsQueueUrl: aws.observationsQueueUrl,
    deadLetterQueueUrl: aws.deadLetterQueueUrl,
    ...onlyToday(dcm),
  };
  await writeEndpoints(options.folder, endpoints);
  return { endpoints, controlPlane, agent, lambda, nats, ec2: aws.ec2 };
};

const onlyToday = ({ agent, controlPlane }: Dcm) => ({
  ...(agent !== undefined && { agentUrl: agent.url }),
  ...(agent !== undefined && controlPlane !== undefined && { catalogItemId }),
});

/** For nobody else's eyes: there is a token in it. */
const writeEndpoints = async (folder: string, endpoints: Endpoints): Promise<void> => {
  const path = join(folder, 'endpoints.json');
  await rm(path, { force: true }); // what is there keeps its mode
  await writeFile(path, `${JSON.stringify(endpoints, null, 2)}\n`, { mode: 0o600 });
};
