import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleAll } from '../infra/bundle.ts';
import { startAws } from './aws.ts';
import { startCompute } from './compute.ts';
import { startDcm } from './dcm.ts';
import { type Keep, keeper } from './keeper.ts';
import type { StackOptions } from './options.ts';
import type { ControlPlane } from './parts/control-plane/start.ts';
import type { DynamoDb } from './parts/dynamodb.ts';
import type { Ec2Simulator } from './parts/ec2/start-ec2-simulator.ts';
import type { LambdaHost } from './parts/lambda-host/start-lambda-host.ts';
import type { NatsServer } from './parts/nats-server/start-nats-server.ts';

/** Where everything answers, as in `.local/endpoints.json`. */
export type Endpoints = Record<
  'natsUrl' | 'ec2Url' | 'dynamodbUrl' | 'sqsUrl' | 'eventsUrl' | 'lambdaUrl' | 'controlPlaneUrl',
  string
> & { readonly observationsQueueUrl: string; readonly deadLetterQueueUrl: string };

export type Stack = AsyncDisposable & {
  readonly endpoints: Endpoints;
  readonly controlPlane: ControlPlane;
  readonly dynamoDb: DynamoDb;
  readonly lambda: LambdaHost;
  /** undefined where another NATS or EC2 is used. */
  readonly nats: NatsServer | undefined;
  readonly ec2: Ec2Simulator | undefined;
};

/**
 * The deployed system on a laptop: the bundles that `cdk deploy` ships, the real nats-server, and stand-ins for the services of AWS and
 * for DCM's control plane. Nothing is left behind when it is disposed of.
 */
export const startStack = async (options: StackOptions): Promise<Stack> => {
  const { keep, stop } = keeper();
  try {
    return { ...(await start(options, keep)), [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

const start = async (options: StackOptions, keep: Keep): Promise<Omit<Stack, keyof AsyncDisposable>> => {
  await mkdir(options.folder, { recursive: true });
  const [{ natsUrl, controlPlane, nats }, aws] = await Promise.all([
    startDcm(options, keep),
    startAws(options, keep),
    bundleAll(),
  ]);
  const lambda = await startCompute(options, aws, natsUrl, keep);
  const endpoints = {
    natsUrl,
    ec2Url: aws.ec2Url ?? 'aws',
    dynamodbUrl: aws.dynamodbUrl,
    sqsUrl: aws.sqsUrl,
    eventsUrl: aws.eventsUrl,
    lambdaUrl: lambda.url,
    controlPlaneUrl: controlPlane.url,
    observationsQueueUrl: aws.observationsQueueUrl,
    deadLetterQueueUrl: aws.deadLetterQueueUrl,
  };
  await writeFile(join(options.folder, 'endpoints.json'), `${JSON.stringify(endpoints, null, 2)}\n`);
  return { endpoints, controlPlane, dynamoDb: aws.dynamoDb, lambda, nats, ec2: aws.ec2 };
};
