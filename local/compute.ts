import { readFile } from 'node:fs/promises';
import type { Aws } from './aws.ts';
import { functionName, localFunctions } from './functions.ts';
import type { Keep } from './keeper.ts';
import { provider, type StackOptions } from './options.ts';
import { startEventSourceMapping } from './parts/event-source-mapping.ts';
import { type LambdaHost, startLambdaHost } from './parts/lambda-host/start-lambda-host.ts';
import { startStateMachine } from './parts/step-functions/start-state-machine.ts';

/** The functions, and what invokes them: the observations queue and the state machine that polls. */
export const startCompute = async (
  options: StackOptions,
  aws: Aws,
  natsUrl: string,
  keep: Keep,
): Promise<LambdaHost> => {
  const lambda = await keep(
    startLambdaHost({
      log: options.log,
      functions: (lambdaUrl) => localFunctions({ provider, aws, natsUrl, lambdaUrl, options }),
    }),
  );
  await keep(
    startEventSourceMapping({
      queueUrl: aws.observationsQueueUrl,
      sqsEndpoint: aws.sqsUrl,
      invoke: (event) => lambda.invoke(functionName(provider, 'normaliser'), event),
      batchSize: 10,
      maximumConcurrency: 2,
      log: (line) => options.log('event-source-mapping', line),
    }),
  );
  const asl = new URL('../functions/poller/state-machine.asl.json', import.meta.url);
  await keep(
    startStateMachine({
      definition: await readFile(asl, 'utf8'),
      substitutions: { Partition: 'aws', Poller: functionName(provider, 'poller') },
      invoke: lambda.invoke,
      log: (line) => options.log('step-functions', line),
    }),
  );
  return lambda;
};
