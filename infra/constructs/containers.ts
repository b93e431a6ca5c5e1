import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { CfnCluster } from 'aws-cdk-lib/aws-ecs';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { partitionOf } from '../../shared/adapters/aws/regions.ts';
import type { ContainerProvisioning } from '../../shared/service-types/container/provisioning.ts';
import type { TaskScope } from '../../shared/service-types/event-kind.ts';
import type { AccountSettings } from '../settings/accounts.ts';
import type { Settings } from '../settings/settings.ts';

type Given = Pick<Settings, 'provider' | 'containers'>;

/** What may be created, with the names of the ECS clusters and log groups that the stacks make. Undefined without containers. */
export const containersOf = ({ provider, containers }: Given): ContainerProvisioning | undefined =>
  containers && {
    ...containers,
    regions: Object.fromEntries(
      Object.entries(containers.regions).map(([region, given]) => [
        region,
        {
          ...given,
          ecsCluster: given.ecsCluster ?? provider.name,
          logGroup: given.logGroup ?? `/dcm/${provider.name}/containers`,
        },
      ]),
    ),
  };

/** The ARNs of the ECS clusters with the provider's containers; of all regions, or of one. */
export const ecsClusterArns = (scope: Construct, settings: Given, of?: string): string[] =>
  clusterArnsIn(Stack.of(scope).account, settings).flatMap(({ region, arn }) =>
    of === undefined || region === of ? [arn] : [],
  );

const clusterArnsIn = (account: string, settings: Given) =>
  Object.entries(containersOf(settings)?.regions ?? {}).map(([region, { ecsCluster }]) => ({
    region,
    arn: `arn:${partitionOf(region).name}:ecs:${region}:${account}:cluster/${ecsCluster}`,
  }));

/** The tasks whose events arrive in these regions; undefined where there are none. */
export const taskScope = (
  scope: Construct,
  settings: Given,
  regions: readonly string[],
): TaskScope | undefined => tasksOf(Stack.of(scope).account, settings, regions);

/** The same of an account besides the home account: of its streaming regions. */
export const accountTasks = (
  within: Given,
  { id, streamingRegions }: Pick<AccountSettings, 'id' | 'streamingRegions'>,
): TaskScope | undefined => tasksOf(id, within, streamingRegions);

const tasksOf = (account: string, settings: Given, regions: readonly string[]): TaskScope | undefined => {
  const clusterArns = clusterArnsIn(account, settings).flatMap(({ region, arn }) =>
    regions.includes(region) ? [arn] : [],
  );
  return clusterArns.length === 0 ? undefined : { provider: settings.provider.name, clusterArns };
};

/** What the containers of a region run in: an ECS cluster and a log group, unless the settings name existing ones. */
export class Containers extends Construct {
  constructor(
    scope: Construct,
    id: string,
    settings: Given & Pick<Settings, 'logRetentionDays'>,
    { region }: { readonly region: string } = Stack.of(scope),
  ) {
    super(scope, id);
    const given = settings.containers?.regions[region];
    const names = containersOf(settings)?.regions[region];
    if (given === undefined || names === undefined) return;
    if (given.logGroup === undefined)
      new LogGroup(this, 'Logs', {
        logGroupName: names.logGroup,
        retention: settings.logRetentionDays,
        removalPolicy: RemovalPolicy.DESTROY,
      });
    if (given.ecsCluster === undefined) this.#ecsCluster(names.ecsCluster);
  }

  #ecsCluster(clusterName: string) {
    const cluster = new CfnCluster(this, 'EcsCluster', {
      clusterName,
      capacityProviders: ['FARGATE', 'FARGATE_SPOT'],
    });
    Validations.of(cluster).acknowledge({
      id: 'AwsSolutions-ECS4',
      reason:
        'Container Insights costs more than a small container. The provider reports states, which come from events.',
    });
  }
}
