import { Annotations, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import type { Construct } from 'constructs';
import { eventPatternsOf } from '../../shared/service-types/events.ts';
import { consolePath } from '../../shared/wire/public-paths.ts';
import { type AccountTemplate, accountTemplateFile } from '../account-templates.ts';
import { AccountStackSets } from '../constructs/account-stack-sets.ts';
import { Alarms } from '../constructs/alarms.ts';
import { ClusterSteps, clusterStepsQueue } from '../constructs/cluster-steps.ts';
import { Containers, containersOf, taskScope } from '../constructs/containers.ts';
import { Dashboard } from '../constructs/dashboard.ts';
import type { CodeOf } from '../constructs/function-defaults.ts';
import { HubBus } from '../constructs/hub-bus.ts';
import { InstanceEventsRules } from '../constructs/instance-events-rules.ts';
import { InventoryFunction, type InventoryFunctionProps, inventoryStore } from '../constructs/inventory.ts';
import { InventoryApi } from '../constructs/inventory-api.ts';
import { InventoryTable } from '../constructs/inventory-table.ts';
import { NatsBridge } from '../constructs/nats-bridge.ts';
import { Normaliser } from '../constructs/normaliser.ts';
import { Poller } from '../constructs/poller.ts';
import { Polling } from '../constructs/polling.ts';
import { ProviderApi, type ProviderApiProps } from '../constructs/provider-api.ts';
import { Registration, type RegistrationProps, registriesOf } from '../constructs/registration.ts';
import { ResourceTable } from '../constructs/resource-table.ts';
import { RetriedQueue } from '../constructs/retried-queue.ts';
import { StatusBus, type StatusBusProps } from '../constructs/status-bus.ts';
import { Usage, type UsageProps } from '../constructs/usage.ts';
import { type Deployment, normaliserTimeoutSeconds } from '../functions.ts';
import { accountsFileOf, accountsOf, settingsWithin } from '../settings/accounts.ts';
import { agentStreamsOf, natsPermissions } from '../settings/agent.ts';
import { doubts } from '../settings/contradictions.ts';
import { hasInventory } from '../settings/inventory.ts';
import { createdTypes } from '../settings/service-types.ts';
import { canCreate, type Settings, tagKeysOf } from '../settings/settings.ts';
import { hasUsage } from '../settings/usage.ts';

export type HomeRegionProps = {
  readonly settings: Settings;
  readonly codeOf: CodeOf;
  /** The templates for other accounts. @default none */
  readonly accounts?: readonly AccountTemplate[] | undefined;
};

/**
 * EC2 ─► rules ─────────┬─► observations queue ─► normaliser ─► nats-bridge ─► JetStream
 *  └─► poller ◄─ polling  │        ▲                  │
 *         └───────────────┴────────┼──────► resource store ◄──────────┐
 * DCM ─► provider-api ─► EC2 ──────┴──────────────────┘               │
 *  └──────────────────────────────────────────── ◄─ registration ─────┘
 */
export class HomeRegionStack extends Stack {
  constructor(scope: Construct, id: string, { settings, codeOf, accounts = [] }: HomeRegionProps) {
    const { provider, homeRegion, logRetentionDays, deletionProtection } = settings;
    super(scope, id, {
      stackName: `dcm-${provider.name}`,
      description: `DCM's EC2 service provider ${provider.name}`,
      env: { region: homeRegion },
      terminationProtection: deletionProtection,
      tags: settings.tags.stack,
    });
    const defaults = {
      ...{ provider: provider.name, logRetention: logRetentionDays, codeOf },
      accounts: accountsOf(settings).map(([, { id }]) => id),
    };

    const observations = new RetriedQueue(this, 'Observations', {
      consumerTimeout: Duration.seconds(normaliserTimeoutSeconds),
    });
    const inventory = hasInventory(settings) ? inventoryStore(this, settings) : undefined;
    const eventQueues = [observations, ...(inventory ? [inventory.events] : [])].map(({ queue }) => queue);
    const tasks = taskScope(this, settings, [homeRegion, ...settings.streamingRegions]);
    const instanceEvents = new InstanceEventsRules(this, 'InstanceEvents', {
      patterns: eventPatternsOf(this.account, tasks),
      targets: (deadLetterQueue) =>
        eventQueues.map(
          (queue) =>
            new SqsQueue(queue, { deadLetterQueue, maxEventAge: Duration.hours(24), retryAttempts: 185 }),
        ),
    });
    new Containers(this, 'Containers', settings);
    const { table: resourceStore } = new ResourceTable(this, 'Fleet', { deletionProtection });
    const { function: bridge, network } = new NatsBridge(this, 'NatsBridge', { defaults, settings });
    const steps = createdTypes(settings).includes('cluster')
      ? clusterStepsQueue(this, 'ClusterStepsQueue')
      : undefined;
    const deployment = {
      provider: provider.name,
      tagKeys: tagKeysOf(settings),
      homeRegion,
      tableName: resourceStore.tableName,
      observationsQueueUrl: observations.queue.queueUrl,
      natsBridge: bridge.functionName,
      clusterStepsQueueUrl: steps?.queue.queueUrl,
      created: createdIn(settings),
      accounts: accountsOfDeployment(settings),
    };
    const parts = { defaults, deployment, settings, observations, resourceStore, bridge, steps, inventory };
    const feedTable =
      inventory?.table ?? (settings.console && new InventoryTable(this, 'Inventory', settings).table);
    const status = this.#statusBus(settings, { defaults, inventory: feedTable });
    const normaliser = new Normaliser(this, 'Normaliser', { ...parts, statusBus: status?.bus });

    const { function: poller } = new Poller(this, 'Poller', parts);
    const { stateMachine } = new Polling(this, 'Polling', { defaults, poller });

    for (const [name, doubt] of Object.entries(doubts(settings)))
      Annotations.of(this).addWarningV2(`dcm:${name}`, doubt);
    const alarms = new Alarms(this, 'Alarms', settings);
    alarms.watchRules(instanceEvents);
    if (accounts.length > 0) {
      const hub = new HubBus(this, 'Hub', { settings, queues: eventQueues });
      alarms.watchRules(hub.events, 'account-events');
      new AccountStackSets(this, 'Accounts', { settings, templates: accounts, after: hub });
      this.#sayTemplates(accounts);
    }
    alarms.watchObservations(observations);
    alarms.watchFunction('normaliser', normaliser.function);
    alarms.watchPublication();
    alarms.watchOwners();
    alarms.watchFunction('nats-bridge', bridge);
    alarms.watchFunction('poller', poller);
    alarms.watchPolling(stateMachine);
    if (steps) {
      const clusterSteps = new ClusterSteps(this, 'ClusterSteps', { ...parts, steps });
      alarms.watchFunction('cluster-steps', clusterSteps.function);
      alarms.watchClusterSteps(steps);
    }

    if (inventory) this.#keepInventory(alarms, { defaults, deployment, store: inventory });
    const usage = status && this.#readStatuses(alarms, { defaults, settings, status });

    new CfnOutput(this, 'FleetTableName', { value: resourceStore.tableName });
    new CfnOutput(this, 'ObservationsQueueUrl', { value: observations.queue.queueUrl });
    new CfnOutput(this, 'NatsBridgeFunctionName', { value: bridge.functionName });
    if (canCreate(settings)) this.#create(alarms, { ...parts, settings, network, usage, feedTable });
    if (settings.dashboard) new Dashboard(this, 'Dashboard', settings);
  }

  /** Without these settings, resources are reported and none is created. */
  #create(alarms: Alarms, { network, ...props }: ProviderApiProps & Pick<RegistrationProps, 'network'>) {
    const { settings } = props;
    const api = new ProviderApi(this, 'ProviderApi', props);
    alarms.watchFunction('provider-api', api.function);
    alarms.watchApi(api.api);
    alarms.watchDeletions();
    if (settings.canary) alarms.watchCanary();
    new CfnOutput(this, 'ProviderApiUrl', { value: api.api.apiEndpoint });
    if (settings.console)
      new CfnOutput(this, 'ConsoleUrl', { value: `${api.api.apiEndpoint}${consolePath}` });
    const registries = registriesOf(settings);
    if (Object.keys(registries).length === 0) return;
    const registration = new Registration(this, 'Registration', { ...props, registries, api, network });
    alarms.watchFunction('registration', registration.function);
    alarms.watchRegistration();
    new CfnOutput(this, 'RegistrationOutcome', { value: registration.outcome });
    if (agentStreamsOf(settings).length > 0) this.#sayNatsPermissions(settings);
  }

  /** Undefined where nobody reads it. */
  #statusBus(settings: Settings, given: Omit<StatusBusProps, 'provider'>): StatusBus | undefined {
    if (given.inventory === undefined && !hasUsage(settings)) return undefined;
    const status = new StatusBus(this, 'StatusBus', { provider: settings.provider.name, ...given });
    new CfnOutput(this, 'StatusBusName', { value: status.bus.eventBusName });
    return status;
  }

  /** The change feed and the usage ledger, of which each is there only where the settings have use for it. */
  #readStatuses(alarms: Alarms, props: UsageProps & { readonly settings: Settings }): Usage | undefined {
    const { bus, feed } = props.status;
    if (feed) {
      alarms.watchFunction('change-feed', feed.function);
      alarms.watchChangeFeed(feed);
    }
    const usage = hasUsage(props.settings) ? this.#keepUsage(alarms, props) : undefined;
    alarms.watchStatusBus(
      bus,
      [feed, usage].flatMap((reader) => reader?.rule ?? []),
    );
    return usage;
  }

  #keepUsage(alarms: Alarms, props: UsageProps): Usage {
    const usage = new Usage(this, 'Usage', props);
    alarms.watchFunction('usage', usage.function);
    alarms.watchUsage(usage);
    new CfnOutput(this, 'UsageTableName', { value: usage.table.tableName });
    return usage;
  }

  #keepInventory(alarms: Alarms, props: InventoryFunctionProps) {
    const inventory = new InventoryFunction(this, 'InventoryFunction', props);
    alarms.watchFunction('inventory', inventory.function);
    alarms.watchInventory(props.store.events);
    const api = new InventoryApi(this, 'InventoryApi', props);
    alarms.watchFunction('inventory-api', api.function);
    alarms.watchApi(api.api, 'inventory-api');
    new CfnOutput(this, 'InventoryUrl', { value: api.api.apiEndpoint });
    new CfnOutput(this, 'InventoryTableName', { value: props.store.table.tableName });
  }

  /** Another team may have to deploy them. */
  #sayTemplates(accounts: readonly AccountTemplate[]) {
    for (const { alias, warnings } of accounts)
      for (const [index, warning] of warnings.entries())
        Annotations.of(this).addWarningV2(`dcm:account-${alias}-${index}`, `Account ${alias}: ${warning}`);
    new CfnOutput(this, 'AccountTemplates', { value: accounts.map(accountTemplateFile).join(', ') });
  }

  /** Creates through an environment agent fail without these permissions, and the names of the streams depend on the settings. */
  #sayNatsPermissions(settings: Settings) {
    const permissions = natsPermissions(settings);
    Annotations.of(this).addInfoV2(
      'dcm:nats-permissions',
      `The NATS user of the nats-bridge needs: ${permissions}`,
    );
    new CfnOutput(this, 'NatsPermissions', { value: permissions });
  }
}

/** What is created in one account. */
const createdIn = (settings: Settings): Deployment['created'] => ({
  containers: containersOf(settings),
  clusters: settings.clusters,
});

const accountsOfDeployment = (settings: Settings): Deployment['accounts'] => {
  const file = accountsFileOf(settings);
  const created = accountsOf(settings).map(
    ([alias, account]) => [alias, createdIn(settingsWithin(settings, account))] as const,
  );
  return file && { file, created: Object.fromEntries(created) };
};
