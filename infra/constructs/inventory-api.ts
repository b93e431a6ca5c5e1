import { Duration, Validations } from 'aws-cdk-lib';
import { HttpApi, HttpStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { InventoryFile } from '../../functions/inventory-api/env.ts';
import { partitionOf } from '../../shared/adapters/aws/regions.ts';
import type { ServiceType } from '../../shared/core/kind.ts';
import { targetKey } from '../../shared/core/target.ts';
import type { FunctionName } from '../function-names.ts';
import { answerTimeoutSeconds, functionNameOf, inventoryApi } from '../functions.ts';
import { accountsOf, settingsWithin } from '../settings/accounts.ts';
import { collectionsKept, type SettingsWithInventory } from '../settings/inventory.ts';
import { polledTargets, regionNames } from '../settings/reported-regions.ts';
import { createdTypes } from '../settings/service-types.ts';
import { canCreate, type Settings } from '../settings/settings.ts';
import { accessLog } from './access-log.ts';
import { containersOf } from './containers.ts';
import { functionWithDefaults } from './function-defaults.ts';
import { grantItems } from './grant-items.ts';
import type { InventoryFunctionProps } from './inventory.ts';
import { consoleStatements } from './inventory-permissions.ts';
import { grantSecret, secretsManagerEndpoint } from './secret.ts';

/** HTTP ─► the function that answers from the inventory's table. The function authenticates. Runs outside any VPC. */
export class InventoryApi extends Construct {
  readonly api: HttpApi;
  readonly function: LambdaFunction;

  constructor(scope: Construct, id: string, props: InventoryFunctionProps) {
    super(scope, id);
    this.function = this.#function(props);
    const { defaults, store } = props;
    const { rate, burst } = store.settings.inventory.throttling;
    this.api = new HttpApi(this, 'Api', {
      apiName: `${defaults.provider}-inventory-api`,
      description: `The inventory of DCM's EC2 service provider ${defaults.provider}`,
      defaultIntegration: new HttpLambdaIntegration('Function', this.function, {
        timeout: Duration.seconds(answerTimeoutSeconds),
      }),
      createDefaultStage: false,
    });
    new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: rate, burstLimit: burst },
      accessLogSettings: accessLog(this, defaults, 'inventory-api'),
    });
    Validations.of(this.api).acknowledge({
      id: 'AwsSolutions-APIG4',
      reason: 'The function authenticates every call; API Gateway does not know our tokens.',
    });
  }

  #function({ defaults, deployment, store: { settings, table } }: InventoryFunctionProps): LambdaFunction {
    const { tokens, authOptional, consoleOutput } = settings.inventory;
    const made = functionWithDefaults(this, {
      defaults,
      spec: inventoryApi(deployment, {
        tableName: table.tableName,
        file: inventoryFileOf(settings),
        authOptional,
      }),
      sdkEnvironment: secretsManagerEndpoint(this, tokens[0]?.secret),
    });
    grantItems(table, made, 'dynamodb:GetItem', 'dynamodb:Query');
    for (const { secret } of tokens) grantSecret(made, `Token-${secret}`, secret);
    if (consoleOutput)
      for (const statement of consoleStatements(made, settings, regionNames(settings)))
        made.addToRolePolicy(statement);
    return made;
  }
}

const inventoryFileOf = (settings: SettingsWithInventory): InventoryFile => {
  const { homeAlias, tokens, jwt, cors, consoleOutput, plans } = settings.inventory;
  const keysOf = (serviceType: ServiceType) =>
    polledTargets(settings).flatMap((one) => (one.serviceType === serviceType ? [one.region] : []));
  return {
    homeAlias,
    homeRegions: regionNames(settings),
    collections: collectionsKept(settings),
    listedIn: { containers: keysOf('container'), clusters: keysOf('cluster') },
    tokens,
    ...(jwt && { jwt }),
    corsOrigins: cors.origins,
    consoleOutput,
    containerLogGroups: consoleOutput ? containerLogGroups(settings) : {},
    controllerLogs: controllerLogs(settings),
    plans: Object.entries(plans).map(([name, plan]) => ({ name, ...plan })),
  };
};

/** The log groups of containers, by the key of their target. */
const containerLogGroups = (settings: Settings): Record<string, string> => {
  const within = [
    { account: undefined, settings },
    ...accountsOf(settings).map(([, account]) => ({
      ...{ account: account.id, settings: settingsWithin(settings, account) },
    })),
  ];
  return Object.fromEntries(
    within.flatMap((one) =>
      Object.entries(containersOf(one.settings)?.regions ?? {}).map(
        ([region, { logGroup }]) => [targetKey({ account: one.account, region }), logGroup] as const,
      ),
    ),
  );
};

/** @see https://docs.aws.amazon.com/general/latest/gr/aws-arns-and-namespaces.html the partitions, each with a console of its own */
const consoles: Readonly<Record<string, string>> = {
  aws: 'console.aws.amazon.com',
  'aws-cn': 'console.amazonaws.cn',
  'aws-us-gov': 'console.amazonaws-us-gov.com',
};

/** Where the logs of the functions are read in AWS's console, whose paths within its own addresses are encoded twice. */
const controllerLogs = (settings: Settings): Record<string, string> => {
  const { homeRegion, provider } = settings;
  const console = consoles[partitionOf(homeRegion).name];
  if (console === undefined) return {};
  const functions: FunctionName[] = [
    ...(['normaliser', 'nats-bridge', 'poller'] as const),
    ...(canCreate(settings) ? ['provider-api' as const] : []),
    ...(createdTypes(settings).includes('cluster') ? ['cluster-steps' as const] : []),
    ...(['inventory', 'inventory-api', 'change-feed'] as const),
  ];
  return Object.fromEntries(
    functions.map((name) => {
      const group = `/aws/lambda/${functionNameOf(provider.name, name)}`.replaceAll('/', '$252F');
      return [
        name,
        `https://${homeRegion}.${console}/cloudwatch/home?region=${homeRegion}#logsV2:log-groups/log-group/${group}`,
      ];
    }),
  );
};
