import {
  Aspects,
  Aws,
  BootstraplessSynthesizer,
  CfnCondition,
  CfnParameter,
  CfnResource,
  Fn,
  Stack,
  type StackProps,
} from 'aws-cdk-lib';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { EventBus as EventBusTarget } from 'aws-cdk-lib/aws-events-targets';
import { ArnPrincipal, Policy, type PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { type MemberRole, memberRoleName, rolePathOf } from '../../shared/adapters/aws/accounts.ts';
import { furtherCollections } from '../../shared/core/inventory/entry.ts';
import { eventPatternsOf } from '../../shared/service-types/events.ts';
import { Alarms } from '../constructs/alarms.ts';
import {
  grantClusterSteps,
  grantCreateClusters,
  grantReadClusters,
  grantReadClusterUpdates,
} from '../constructs/cluster-permissions.ts';
import { accountTasks, Containers } from '../constructs/containers.ts';
import { grantDescribe } from '../constructs/describe-instances.ts';
import { hubBusName } from '../constructs/hub-bus.ts';
import { InstanceEventsRules } from '../constructs/instance-events-rules.ts';
import { grantInstances } from '../constructs/instance-permissions.ts';
import { collectionStatements, consoleStatements } from '../constructs/inventory-permissions.ts';
import { grantExtras, grantOfferings } from '../constructs/launch-permissions.ts';
import { anyRegionOfStack, type Grantee, partitionIn } from '../constructs/permissions.ts';
import { serviceOfThisAccount } from '../constructs/service-of-this-account.ts';
import { grantDescribeTasks, grantListTasks, grantTasks } from '../constructs/task-permissions.ts';
import { type AccountSettings, accountRegions, settingsWithin } from '../settings/accounts.ts';
import { collectionsKept, hasInventory } from '../settings/inventory.ts';
import { createdTypes } from '../settings/service-types.ts';
import type { Settings } from '../settings/settings.ts';

export type AccountStackProps = {
  readonly settings: Settings;
  readonly alias: string;
  readonly account: AccountSettings;
};

/** The name of the stacks in an account, which is the same in each of its regions, and of their StackSet. */
export const accountStackName = (provider: string, alias: string): string => `dcm-${provider}-${alias}`;

/** The region of an account whose stack has the roles: IAM is global, so only one of the stacks may make them. */
const primaryRegionOf = ({ homeRegion }: Settings, { streamingRegions }: AccountSettings): string =>
  streamingRegions[0] ?? homeRegion;

/** The regions in which the stack of an account is deployed. */
export const stackRegionsOf = (settings: Settings, account: AccountSettings): string[] =>
  account.streamingRegions.length > 0 ? account.streamingRegions : [primaryRegionOf(settings, account)];

/**
 * What another account has: roles that the functions in the home account assume, and in each streaming region rules that forward events to the
 * bus in the home region. One template for all regions of the account, without assets, so that a StackSet or another team can deploy it.
 *
 * ```
 * normaliser, poller ─► reader          EC2, ECS ─► rules ─► hub bus in the home region
 * provider-api, cluster-steps ─► launcher
 * ```
 */
export class AccountStack extends Stack {
  constructor(scope: Construct, id: string, { settings, alias, account }: AccountStackProps) {
    const { provider, homeRegion } = settings;
    const props: StackProps = {
      stackName: accountStackName(provider.name, alias),
      description: `What DCM's EC2 service provider ${provider.name} needs in the account ${alias}`,
      env: { account: account.id },
    };
    // Not in the literal, whose type is stricter than that of the CDK's own synthesizers.
    super(scope, id, Object.assign(props, { synthesizer: new BootstraplessSynthesizer() }));
    this.node.setContext(anyRegionOfStack, homeRegion);
    const within = settingsWithin(settings, account);
    const hubAccount = new CfnParameter(this, 'HubAccount', {
      description: 'Id of the account that the provider itself is deployed to',
      allowedPattern: '\\d{12}',
    }).valueAsString;
    this.#roles(settings, within, account, hubAccount);
    if (account.streamingRegions.length > 0) this.#events(within, account, hubAccount);
    this.#containers(within, account);
  }

  #roles(settings: Settings, within: Settings, account: AccountSettings, hubAccount: string) {
    const externalId = new CfnParameter(this, 'ExternalId', {
      description: 'The externalId of the settings',
      noEcho: true,
      minLength: 20,
    }).valueAsString;
    const primaryRegion = new CfnParameter(this, 'PrimaryRegion', {
      description: 'The region whose stack makes the roles, which are global',
      default: primaryRegionOf(settings, account),
    }).valueAsString;
    const isPrimary = new CfnCondition(this, 'IsPrimaryRegion', {
      expression: Fn.conditionEquals(Aws.REGION, primaryRegion),
    });
    const roles = new Construct(this, 'Roles');
    const trust = { settings, hubAccount, externalId };
    const reader = new AccountRole(roles, 'Reader', { ...trust, role: 'reader' });
    const regions = accountRegions(account);
    grantDescribe(reader, ['ec2:DescribeInstances', 'ec2:DescribeInstanceStatus'], regions);
    grantListTasks(reader, within);
    grantDescribeTasks(reader, within);
    grantReadClusters(reader, within);
    grantReadClusterUpdates(reader, within);
    const collections = hasInventory(settings) ? collectionsKept(settings) : furtherCollections;
    this.#switched('Inventory', 'Whether the reader may list what the inventory shows', {
      ...{ isPrimary, reader, statements: collectionStatements(reader, collections, regions) },
      isOn: hasInventory(settings),
    });
    this.#switched(
      'ConsoleOutput',
      'Whether the reader may read console output of instances and logs of containers',
      {
        ...{ isPrimary, reader, statements: consoleStatements(reader, within, regions) },
        isOn: settings.inventory?.consoleOutput === true,
      },
    );
    if (createdTypes(account).length > 0)
      grantCreation(new AccountRole(roles, 'Launcher', { ...trust, role: 'launcher' }), within);
    onlyIf(roles, isPrimary);
  }

  /** Permissions of the reader behind a parameter, so that they can be given and taken without another template. */
  #switched(
    name: 'Inventory' | 'ConsoleOutput',
    description: string,
    given: {
      isPrimary: CfnCondition;
      reader: AccountRole;
      statements: PolicyStatement[];
      /** By default: where the settings have the inventory. */
      isOn: boolean;
    },
  ) {
    const { isPrimary, reader, statements, isOn } = given;
    if (statements.length === 0) return;
    const parameter = new CfnParameter(this, name, {
      description,
      allowedValues: ['true', 'false'],
      default: String(isOn),
    });
    const condition = new CfnCondition(this, `With${name}`, {
      expression: Fn.conditionAnd(isPrimary, Fn.conditionEquals(parameter.valueAsString, 'true')),
    });
    const policy = new Policy(reader.role, name, { roles: [reader.role], statements });
    if (CfnResource.isCfnResource(policy.node.defaultChild))
      policy.node.defaultChild.cfnOptions.condition = condition;
  }

  #events(within: Settings, account: AccountSettings, hubAccount: string) {
    const { provider, homeRegion } = within;
    const busArn = `arn:${partitionIn(this).name}:events:${homeRegion}:${hubAccount}:event-bus/${hubBusName(provider.name)}`;
    const bus = EventBus.fromEventBusArn(this, 'HubBus', busArn);
    const role = new Role(this, 'Forwarder', {
      assumedBy: serviceOfThisAccount(this, 'events', 'rule/*'),
      description: `Forwards events to ${homeRegion}`,
    });
    const events = new InstanceEventsRules(this, 'InstanceEvents', {
      patterns: eventPatternsOf(account.id, accountTasks(within, account)),
      targets: (deadLetterQueue) => [new EventBusTarget(bus, { role, deadLetterQueue })],
    });
    const { alarmTopicName: name } = account;
    const topic =
      name !== undefined &&
      Topic.fromTopicArn(this, 'AlarmTopic', this.formatArn({ service: 'sns', resource: name }));
    new Alarms(this, 'Alarms', { provider, alarms: {}, ...(topic && { topic }) }).watchRules(events);
  }

  /** The ECS cluster and the log group of each streaming region where the settings name none. */
  #containers(within: Settings, { streamingRegions }: AccountSettings) {
    const regions = Object.keys(within.containers?.regions ?? {});
    for (const region of streamingRegions.filter((each) => regions.includes(each))) {
      const isThere = new CfnCondition(this, `Is-${region}`, {
        expression: Fn.conditionEquals(Aws.REGION, region),
      });
      onlyIf(new Containers(this, `Containers-${region}`, within, { region }), isThere);
    }
  }
}

/** Gives a condition to all resources of a construct that have none, also to those that the CDK makes at synthesis. */
const onlyIf = (scope: Construct, condition: CfnCondition) =>
  Aspects.of(scope).add({
    visit: (node) => {
      if (CfnResource.isCfnResource(node)) node.cfnOptions.condition ??= condition;
    },
  });

type AccountRoleProps = {
  readonly settings: Settings;
  readonly hubAccount: string;
  readonly externalId: string;
  readonly role: MemberRole;
};

/**
 * A role that only functions of this deployment may assume: those in the home account under the path of the deployment, with the external id,
 * and in the organization where there is one.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
 */
class AccountRole extends Construct implements Grantee {
  readonly role: Role;

  constructor(scope: Construct, id: string, { settings, hubAccount, externalId, role }: AccountRoleProps) {
    super(scope, id);
    const { provider, organization } = settings;
    const path = rolePathOf(provider.name);
    const hub = `arn:${partitionIn(this).name}:iam::${hubAccount}`;
    this.role = new Role(this, 'Role', {
      roleName: memberRoleName(provider.name, role),
      path,
      description: `What the functions of ${provider.name} may do here as ${role}`,
      assumedBy: new ArnPrincipal(`${hub}:root`).withConditions({
        StringEquals: {
          'sts:ExternalId': externalId,
          ...(organization && { 'aws:PrincipalOrgID': organization.id }),
        },
        ArnLike: { 'aws:PrincipalArn': `${hub}:role${path}*` },
      }),
    });
  }

  addToRolePolicy(statement: PolicyStatement) {
    this.role.addToPrincipalPolicy(statement);
  }
}

/** The permissions that the provider-api and cluster-steps have in the home account, for what the settings allow here. */
const grantCreation = (launcher: AccountRole, within: Settings): void => {
  const { provisioning } = within;
  if (provisioning !== undefined) {
    grantInstances(launcher, { ...within, provisioning });
    grantOfferings(launcher, provisioning);
    grantExtras(launcher, provisioning);
  }
  grantTasks(launcher, within);
  grantCreateClusters(launcher, within);
  grantClusterSteps(launcher, within);
};
