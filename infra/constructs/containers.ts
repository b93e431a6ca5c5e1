import { ArnFormat, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { CfnCluster } from 'aws-cdk-lib/aws-ecs';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { partitionOf } from '../../shared/adapters/aws/regions.ts';
import type { ContainerProvisioning } from '../../shared/service-types/container/provisioning.ts';
import type { TaskScope } from '../../shared/service-types/event-kind.ts';
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
  Object.entries(containersOf(settings)?.regions ?? {})
    .filter(([region]) => of === undefined || region === of)
    .map(([region, { ecsCluster }]) =>
      Stack.of(scope).formatArn({
        // The name, not a reference: the ids of cdk-nag's findings contain it.
        partition: partitionOf(region).name,
        service: 'ecs',
        region,
        resource: `cluster/${ecsCluster}`,
        arnFormat: ArnFormat.NO_RESOURCE_NAME,
      }),
    );

/** The tasks whose events arrive in these regions; undefined where there are none. */
export const taskScope = (
  scope: Construct,
  settings: Given,
  regions: readonly string[],
): TaskScope | undefined => {
  const clusterArns = regions.flatMap((region) => ecsClusterArns(scope, settings, region));
  return clusterArns.length === 0 ? undefined : { provider: settings.provider.name, clusterArns };
};

/** What the containers of the stack's region run in: an ECS cluster and a log group, unless the settings name existing ones. */
export class Containers extends Construct {
  constructor(scope: Construct, id: string, settings: Given & Pick<Settings, 'logRetentionDays'>) {
    super(scope, id);
    const { region } = Stack.of(this);
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
