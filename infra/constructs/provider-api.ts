import { Duration, Validations } from 'aws-cdk-lib';
import { CfnStage, HttpApi, HttpMethod, HttpStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { type ApiAccess, ProvisioningFile, type UsagePrices } from '../../functions/provider-api/env.ts';
import { changesPath, consolePath, overviewPath, publicPaths } from '../../shared/wire/public-paths.ts';
import { consolePage } from '../console-page.ts';
import { answerTimeoutSeconds, type Deployment, providerApi } from '../functions.ts';
import { type AccountSettings, accountsOf } from '../settings/accounts.ts';
import { agentStreamsOf } from '../settings/agent.ts';
import { collectionsKept, hasInventory } from '../settings/inventory.ts';
import { polledTargets } from '../settings/reported-regions.ts';
import { createdTypes } from '../settings/service-types.ts';
import type { CreationSettings, Settings } from '../settings/settings.ts';
import { accessLog } from './access-log.ts';
import { grantCreateClusters } from './cluster-permissions.ts';
import { type FunctionDefaults, functionWithDefaults } from './function-defaults.ts';
import { grantItems } from './grant-items.ts';
import { grantInstances } from './instance-permissions.ts';
import { grantExtras, grantOfferings } from './launch-permissions.ts';
import type { RetriedQueue } from './retried-queue.ts';
import { grantSecret, secretsManagerEndpoint } from './secret.ts';
import { grantTasks } from './task-permissions.ts';
import type { Usage } from './usage.ts';

export type ProviderApiProps = {
  readonly defaults: FunctionDefaults;
  readonly deployment: Deployment;
  readonly settings: CreationSettings;
  readonly observations: RetriedQueue;
  /** Undefined without clusters. */
  readonly steps: RetriedQueue | undefined;
  readonly resourceStore: Table;
  readonly bridge: LambdaFunction;
  /** Undefined without a usage ledger. */
  readonly usage?: Pick<Usage, 'table'> | undefined;
  /** The table of the change feed, which the console reads. */
  readonly feedTable?: Table | undefined;
};

/**
 * Rate and burst of each public route: DCM checks the health of every provider each ten seconds, all of them together. The throttle of the
 * settings applies to the other routes only.
 */
const publicThrottle = { ThrottlingRateLimit: 5, ThrottlingBurstLimit: 40 };

/** The same for what the console's pages read: one open page asks about once a second. */
const consoleThrottle = { ThrottlingRateLimit: 20, ThrottlingBurstLimit: 40 };

/** How often recorded deletions are looked for whose request ended too early. */
const completionPeriod = Duration.minutes(2);

const canaryPeriod = Duration.minutes(1);

/**
 * HTTP ─► the function that creates, reads, changes and deletes VMs. The function authenticates; API Gateway does not know our tokens. A
 * schedule has it complete the deletions that are recorded.
 */
export class ProviderApi extends Construct {
  readonly api: HttpApi;
  readonly function: LambdaFunction;

  constructor(scope: Construct, id: string, props: ProviderApiProps) {
    super(scope, id);
    this.function = this.#function(props);
    const { defaults, settings } = props;
    const integration = new HttpLambdaIntegration('Function', this.function, {
      timeout: Duration.seconds(answerTimeoutSeconds),
    });
    this.api = new HttpApi(this, 'Api', {
      apiName: `${defaults.provider}-provider-api`,
      description: `VMs of DCM's EC2 service provider ${defaults.provider}`,
      defaultIntegration: integration,
      createDefaultStage: false,
    });
    this.#schedule('Deletions', {
      description: 'Completes deletions that are recorded and whose request ended too early',
      request: 'complete-deletions',
      period: completionPeriod,
    });
    if (settings.canary)
      this.#schedule('Canary', {
        description: 'Has a VM validated, and sends a message through the observations queue',
        request: 'canary',
        period: canaryPeriod,
      });
    const { rate, burst } = settings.api.throttling;
    const prefixes = ['', '/{region}', ...(accountsOf(settings).length > 0 ? ['/{account}/{region}'] : [])];
    const paths = publicPaths(collectionsOf(settings)).flatMap((path) =>
      prefixes.map((prefix) => `${prefix}${path}`),
    );
    const throttles: Readonly<Record<string, typeof publicThrottle>> = {
      ...Object.fromEntries(paths.map((path) => [path, publicThrottle])),
      ...(settings.console && {
        [consolePath]: publicThrottle,
        [overviewPath]: consoleThrottle,
        [changesPath]: consoleThrottle,
      }),
    };
    const throttledRoutes = Object.keys(throttles).flatMap((path) =>
      this.api.addRoutes({ path, methods: [HttpMethod.GET], integration }),
    );
    const stage = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: rate, burstLimit: burst },
      accessLogSettings: accessLog(this, defaults),
    });
    // API Gateway refuses a throttle for a route that does not exist yet.
    stage.node.addDependency(...throttledRoutes);
    if (CfnStage.isCfnStage(stage.node.defaultChild))
      stage.node.defaultChild.routeSettings = Object.fromEntries(
        Object.entries(throttles).map(([path, throttle]) => [`GET ${path}`, throttle]),
      );
    Validations.of(this.api).acknowledge({
      id: 'AwsSolutions-APIG4',
      reason:
        'The function authenticates every call except health checks, which DCM makes without credentials.',
    });
  }

  #schedule(id: string, { description, request, period }: Scheduled) {
    new Rule(this, id, {
      description,
      schedule: Schedule.rate(period),
      targets: [
        new LambdaTarget(this.function, {
          event: RuleTargetInput.fromObject({ do: request }),
          maxEventAge: period,
          retryAttempts: 0,
        }),
      ],
    });
  }

  #function({
    defaults,
    deployment,
    settings,
    observations,
    resourceStore,
    bridge,
    steps,
    usage,
    feedTable,
  }: ProviderApiProps): LambdaFunction {
    const { provisioning, api } = settings;
    const spec = providerApi(deployment, {
      provisioning: provisioningOf(settings, deployment),
      access: {
        ...accessOf(api),
        ...byAlias(settings, (_, account) => account.api && accessOf(account.api)),
      },
      findsAgentRequests: agentStreamsOf(settings).length > 0,
      usage: usage && { table: usage.table.tableName, prices: usagePricesOf(settings) },
      console: consoleOf(settings, feedTable),
    });
    const accountTokens = accountsOf(settings).map(([alias, account]) => ({
      alias,
      secret: account.api?.tokenSecret,
    }));
    const sdkEnvironment = secretsManagerEndpoint(
      this,
      api.tokenSecret ??
        accountTokens.find(({ secret }) => secret !== undefined)?.secret ??
        settings.console?.readers[0],
    );
    const made = functionWithDefaults(this, { defaults, spec, sdkEnvironment });
    grantItems(resourceStore, made, 'dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:UpdateItem');
    made.addToRolePolicy(
      new PolicyStatement({ actions: ['dynamodb:Query'], resources: [vmsByRegion(resourceStore)] }),
    );
    observations.queue.grant(made, 'sqs:SendMessage');
    steps?.queue.grant(made, 'sqs:SendMessage');
    bridge.grantInvokeLatestVersion(made);
    if (usage) grantItems(usage.table, made, 'dynamodb:GetItem', 'dynamodb:Query');
    grantSecret(made, 'Token', api.tokenSecret);
    if (settings.console && feedTable) grantItems(feedTable, made, 'dynamodb:GetItem', 'dynamodb:Query');
    for (const secret of settings.console?.readers ?? []) grantSecret(made, `Reader-${secret}`, secret);
    for (const { alias, secret } of accountTokens) grantSecret(made, `Token-${alias}`, secret);
    if (provisioning !== undefined) {
      grantInstances(made, { ...settings, provisioning });
      grantOfferings(made, provisioning);
      grantExtras(made, provisioning);
    }
    grantTasks(made, settings);
    grantCreateClusters(made, settings);
    return made;
  }
}

type Scheduled = {
  readonly description: string;
  readonly request: 'complete-deletions' | 'canary';
  readonly period: Duration;
};

/** Undefined where no prices are configured. */
const usagePricesOf = ({ usage, provider }: Settings): UsagePrices | undefined => {
  if (usage?.billingAccountId === undefined || usage.prices.length === 0) return undefined;
  const { billingAccountId, billingAccountName, platformName = provider.name, currency, prices } = usage;
  return {
    ...{ platformName, billingAccountId, currency, prices },
    ...(billingAccountName !== undefined && { billingAccountName }),
  };
};

const consoleOf = (settings: CreationSettings, feedTable: Table | undefined) =>
  settings.console &&
  feedTable && {
    feedTable: feedTable.tableName,
    file: {
      polled: polledTargets(settings),
      ...(hasInventory(settings) && { collections: collectionsKept(settings) }),
      readers: settings.console.readers,
      page: consolePage(),
    },
  };

const collectionsOf = (settings: CreationSettings) =>
  createdTypes(settings).map((serviceType) => `${serviceType}s` as const);

const vmsByRegion = (resourceStore: Table): string => `${resourceStore.tableArn}/index/vms-by-region`;

const provisioningOf = (settings: CreationSettings, { created, accounts }: Deployment): ProvisioningFile =>
  ProvisioningFile.parse({
    ...withinAccount(settings, created),
    ...byAlias(settings, (alias, account) => {
      const within = accounts?.created[alias];
      return within && createdTypes(account).length > 0 ? withinAccount(account, within) : undefined;
    }),
  });

/** What may be created in one account, without the roles of instance profiles, which only IAM needs. */
const withinAccount = ({ provisioning }: Pick<Settings, 'provisioning'>, created: Deployment['created']) => {
  const { instanceProfiles = [], ...vms } = provisioning ?? { regions: {} };
  return { ...vms, instanceProfiles: instanceProfiles.map(({ profile }) => profile), ...created };
};

/** `accounts` with a value for each account that has one; nothing if none has. */
const byAlias = <Value>(
  settings: CreationSettings,
  of: (alias: string, account: AccountSettings) => Value | undefined,
): { accounts?: Record<string, Value> } => {
  const values = accountsOf(settings).flatMap(([alias, account]) => {
    const value = of(alias, account);
    return value === undefined ? [] : [[alias, value] as const];
  });
  return values.length === 0 ? {} : { accounts: Object.fromEntries(values) };
};

const accessOf = ({
  tokenSecret,
  jwt,
}: NonNullable<AccountSettings['api']>): Omit<ApiAccess, 'accounts'> => ({
  ...(tokenSecret !== undefined && { tokenSecret }),
  ...(jwt && { jwt }),
});
