import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { clientConfig } from '../local/emulators/client-config.ts';
import { bridgePublisher } from '../shared/adapters/bridge/bridge.ts';
import { dynamoDbResourceStore } from '../shared/adapters/dynamodb/resource-store.ts';
import { kinds } from '../shared/service-types/kinds.ts';
import { servedVms } from '../shared/service-types/vm/served.ts';
import { scriptedInstances } from '../test/fakes/scripted-instances.ts';
import type { Figures } from './figures.ts';
import { compareRates } from './measure.ts';
import { startModule } from './processes.ts';
import { quietNormaliser } from './quiet-normaliser.ts';
import { recordCalls } from './recorded-calls.ts';
import { sqsBatches, stateChangeBody, subjects } from './workload.ts';

const events = 400;

type Clients = { readonly dynamoDb: DynamoDBDocumentClient; readonly lambda: LambdaClient };

/** The normaliser but Lambda's runtime, against nothing but the AWS SDK calls that it makes, AWS answering at once. */
export const normaliser = async (): Promise<Figures> => {
  await using aws = startModule({ url: new URL('./stub-aws.ts', import.meta.url) });
  const url = z.url().parse(await aws.next());
  const clients: Clients = {
    dynamoDb: DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(url))),
    lambda: new LambdaClient(clientConfig(url)),
  };
  const at = Math.floor(Date.now() / 1000);
  const batches = sqsBatches(
    subjects(events, 'a').map((subject) => stateChangeBody({ subject, state: 'running', at })),
  );

  const { replay, ...recording } = recordCalls(clients);
  await normaliserOf(recording)(batches);

  const handleAll = normaliserOf(clients);
  const { ratio, productPerSecond } = await compareRates({
    events,
    pairs: 15,
    product: () => handleAll(batches),
    baseline: replay,
  });
  clients.dynamoDb.destroy();
  clients.lambda.destroy();
  return { normaliser_ratio: ratio, normaliser_events_per_s: productPerSecond };
};

const normaliserOf = ({ dynamoDb, lambda }: Clients) =>
  quietNormaliser({
    resourceStore: dynamoDbResourceStore(dynamoDb, 'fleet', kinds),
    publisher: bridgePublisher(lambda, 'nats-bridge'),
    types: [servedVms(scriptedInstances())],
  });
