import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as z from 'zod';
import { functionNameOf } from '../../infra/functions.ts';
import { reasonOf } from '../../shared/core/errors.ts';
import { startEventSourceMapping } from '../emulators/event-source-mapping.ts';
import { startHttpApi } from '../emulators/http-api.ts';
import { type LambdaHost, startLambdaHost } from '../emulators/lambda/start-lambda-host.ts';
import { startSchedule } from '../emulators/schedule.ts';
import { startSecretsManager } from '../emulators/secrets-manager.ts';
import { startStateMachine } from '../emulators/step-functions/start-state-machine.ts';
import type { Keep } from '../processes/disposables.ts';
import type { Aws } from './aws.ts';
import type { Dcm } from './dcm.ts';
import { localFunctions, tokenSecret } from './functions.ts';
import { provider, type StackOptions } from './options.ts';

export type Compute = {
  readonly lambda: LambdaHost;
  readonly providerApiUrl: string;
  readonly providerApiToken: string;
};

type Surroundings = {
  readonly options: StackOptions;
  readonly aws: Aws;
  readonly natsUrl: string;
  readonly dcm: Pick<Dcm, 'registryUrl' | 'agent'>;
};

/** The functions, and what invokes them: HTTP, the observations queue, the state machine that polls, and the schedule that registers. */
export const startCompute = async (surroundings: Surroundings, keep: Keep): Promise<Compute> => {
  const { options, aws } = surroundings;
  const providerApiToken = randomBytes(24).toString('hex');
  const { url: secretsUrl } = await keep(startSecretsManager({ [tokenSecret]: providerApiToken }));
  const http = await keep(
    startHttpApi({
      invoke: async (event) => (await lambda).invoke(functionNameOf(provider, 'provider-api'), event),
      log: (line) => options.log('http-api', line),
    }),
  );
  const lambda: Promise<LambdaHost> = keep(
    startLambdaHost({
      log: options.log,
      functions: (lambdaUrl) =>
        localFunctions({
          ...surroundings,
          ...{ lambdaUrl, secretsUrl, providerApiUrl: http.url },
          writeFile: (name, content) => {
            const path = resolve(options.folder, name);
            writeFileSync(path, content);
            return path;
          },
        }),
    }),
  );
  const host = await lambda;
  await keep(mapQueue(options, aws, host));
  await keep(pollRegions(options, host));
  await keep(register(options, host));
  return { lambda: host, providerApiUrl: http.url, providerApiToken };
};

const mapQueue = (options: StackOptions, aws: Aws, lambda: LambdaHost) =>
  startEventSourceMapping({
    queueUrl: aws.observationsQueueUrl,
    sqsEndpoint: aws.sqsUrl,
    invoke: (event) => lambda.invoke(functionNameOf(provider, 'normaliser'), event),
    batchSize: 10,
    maximumConcurrency: 2,
    log: (line) => options.log('event-source-mapping', line),
  });

const pollRegions = async (options: StackOptions, lambda: LambdaHost) =>
  startStateMachine({
    definition: await readFile(
      new URL('../../functions/poller/state-machine.asl.json', import.meta.url),
      'utf8',
    ),
    substitutions: { Partition: 'aws', Poller: functionNameOf(provider, 'poller') },
    invoke: lambda.invoke,
    log: (line) => options.log('step-functions', line),
  });

const Registrations = z.object({
  rows: z.record(z.string(), z.object({ outcome: z.string(), detail: z.string() })),
});

/**
 * As a deployment does: once, and then on a schedule. Where DCM does not answer, or refuses, everything else works all the same, and the
 * terminal says so, once.
 */
const register = async (options: StackOptions, lambda: LambdaHost): Promise<AsyncDisposable> => {
  const log = (line: string) => options.log('registration', line);
  let last = '';
  const invoke = async (request: 'register' | 'keep-registered') => {
    const answer = await lambda.invoke(functionNameOf(provider, 'registration'), { do: request });
    log(JSON.stringify(answer));
    const rows = Object.entries(Registrations.safeParse(answer).data?.rows ?? {});
    const failed = rows.filter(([, { outcome }]) => outcome !== 'registered');
    const said = failed.map(
      ([name, { outcome, detail }]) => `${name} is not registered, ${outcome}: ${detail}`,
    );
    const line = said.join('; ') || (last && 'DCM has registered the provider');
    if (line !== '' && line !== last) options.progress('registration', line);
    last = said.join('; ');
  };
  await invoke('register').catch((error) => options.progress('registration', reasonOf(error)));
  return startSchedule({ everyMs: 60_000, invoke: () => invoke('keep-registered'), log });
};
