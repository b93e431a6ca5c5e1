import '../../shared/runtime/schema-messages.ts';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { assumedAccounts } from '../../shared/adapters/aws/accounts.ts';
import { dynamoDbChangeFeed } from '../../shared/adapters/dynamodb/change-feed.ts';
import { dynamoDbInventoryReader } from '../../shared/adapters/dynamodb/inventory-reader.ts';
import { inventoryStorage } from '../../shared/adapters/dynamodb/inventory-storage.ts';
import { SecretsManagerEnvironment, secretsManager } from '../../shared/adapters/secrets/secrets-manager.ts';
import { targetKey } from '../../shared/core/target.ts';
import { authentication } from '../../shared/http/authentication.ts';
import { readChanges } from '../../shared/http/changes.ts';
import { jwtVerifier } from '../../shared/http/jwt-verifier.ts';
import { router } from '../../shared/http/router.ts';
import { httpApi } from '../../shared/runtime/http-api.ts';
import { correlate, log, withTelemetry } from '../../shared/runtime/telemetry.ts';
import { ecsTaskLog } from '../../shared/service-types/container/ecs/task-log.ts';
import { ec2ConsoleOutput } from '../../shared/service-types/vm/ec2/console-output.ts';
import { Env } from './env.ts';
import { operations } from './operations.ts';
import { inventoryReports } from './reports.ts';
import { permits } from './scopes.ts';
import { collectionsIn, servedTargets } from './targets.ts';

const env = Env.parse(process.env);
const { INVENTORY_FILE: settings, PROVIDER_NAME: provider } = env;
const clock = { now: Date.now, log };

/** Without them, a connection that broke while the function was frozen would keep the caller waiting until Lambda's timeout. */
const shortTimeouts = { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true };
const dynamoDb = new DynamoDBClient({ requestHandler: shortTimeouts });
const client = DynamoDBDocumentClient.from(dynamoDb);

const accounts = assumedAccounts({
  file: env.ACCOUNTS_FILE,
  ...{ provider, role: 'reader', environment: process.env },
});
const configured = env.ACCOUNTS_FILE?.accounts ?? {};
const targets = servedTargets({ ...settings, accounts: configured });

const useCases = {
  reports: inventoryReports({
    inventory: dynamoDbInventoryReader(inventoryStorage({ client, table: env.INVENTORY_TABLE })),
    collectionsIn: collectionsIn(settings),
    tagKeys: env.TAG_KEYS,
    ...{ targets, provider, ...clock },
    ...{ plans: settings.plans, controllerLogs: settings.controllerLogs },
    logs: {
      console: settings.consoleOutput ? ec2ConsoleOutput(accounts) : undefined,
      task: ecsTaskLog({
        credentials: async (target) =>
          (await accounts.credentialsIn(target)) ?? dynamoDb.config.credentials(),
        refused: accounts.refused,
        endpoint: env.AWS_ENDPOINT_URL_CLOUDWATCH_LOGS ?? env.AWS_ENDPOINT_URL,
        timeoutMs: 10_000,
        logGroupOf: (target) => settings.containerLogGroups[targetKey(target)],
        provider,
      }),
    },
  }),
  readChanges: readChanges({
    feed: dynamoDbChangeFeed(client, env.INVENTORY_TABLE),
    streams: false,
    accounts: configured,
    ...clock,
  }),
};

const readSecret = secretsManager(SecretsManagerEnvironment.parse(process.env));
const permitting = (granted: readonly string[]) => permits(granted, settings.homeAlias);

const app = router({
  operations,
  useCasesIn: () => useCases,
  authentication: authentication({
    realm: 'inventory-api',
    isOptional: env.AUTH_OPTIONAL === '1',
    credentials: [
      ...settings.tokens.map(({ secret, scopes }) => ({
        secret: () => readSecret(secret),
        opens: permitting(scopes),
      })),
      ...(settings.jwt === undefined
        ? []
        : [
            {
              secret: async () => undefined,
              verifyJwt: jwtVerifier(settings.jwt),
              opens: (asked: Parameters<ReturnType<typeof permits>>[0], scopes: readonly string[]) =>
                permitting(scopes)(asked),
              isMeantFor: () => true,
            },
          ]),
    ],
  }),
  targets: targets.paths,
  corsOrigins: settings.corsOrigins,
  ...{ correlate, ...clock },
});

export const handler = withTelemetry(httpApi((request, given) => app.fetch(request, given)));
