import { CfnOutput, Stack, Validations } from 'aws-cdk-lib';
import {
  InterfaceVpcEndpoint,
  InterfaceVpcEndpointAwsService,
  type ISecurityGroup,
  type IVpc,
  SecurityGroup,
  type SubnetSelection,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { VpcSettings } from '../settings/settings.ts';

const networkInterfaceActions = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

type Placement = {
  readonly vpc: IVpc;
  readonly vpcSubnets: SubnetSelection;
  readonly securityGroups: ISecurityGroup[];
};

/** The subnets and security groups in an existing VPC from which NATS is reached. */
export class NatsNetwork extends Construct {
  /** The properties that place a function there. */
  readonly placement: Placement;

  constructor(scope: Construct, id: string, settings: VpcSettings) {
    super(scope, id);
    const vpc = Vpc.fromVpcAttributes(this, 'Vpc', {
      vpcId: settings.vpcId,
      availabilityZones: settings.availabilityZones,
      privateSubnetIds: settings.subnetIds,
    });
    Validations.of(this).acknowledge({
      id: '@aws-cdk/aws-ec2:noSubnetRouteTableId',
      reason: 'This stack does not change the routes of the VPC.',
    });
    const securityGroups = settings.securityGroupIds?.map((groupId) =>
      SecurityGroup.fromSecurityGroupId(this, groupId, groupId, { mutable: false }),
    ) ?? [this.#newSecurityGroup(vpc)];
    this.placement = { vpc, vpcSubnets: { subnets: vpc.privateSubnets }, securityGroups };
    if (settings.secretsManagerEndpoint === 'create') this.#createSecretsManagerEndpoint();
  }

  #newSecurityGroup(vpc: IVpc) {
    const group = new SecurityGroup(this, 'SecurityGroup', { vpc, description: 'The nats-bridge of DCM' });
    const description = 'Security group that the NATS servers must allow';
    new CfnOutput(this, 'SecurityGroupId', { value: group.securityGroupId, description }).overrideLogicalId(
      'NatsBridgeSecurityGroup',
    );
    return group;
  }

  #createSecretsManagerEndpoint() {
    const { vpc, vpcSubnets, securityGroups } = this.placement;
    const endpoint = new InterfaceVpcEndpoint(this, 'SecretsManager', {
      vpc,
      subnets: { ...vpcSubnets, onePerAz: true },
      service: InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
      open: false,
    });
    for (const group of securityGroups) endpoint.connections.allowDefaultPortFrom(group);
  }

  /**
   * Allows Lambda, with the function's role, to place the function in the VPC, and denies the function's own code these actions.
   * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
   */
  admit(guest: LambdaFunction, functionName: string) {
    const resources = ['*'];
    // The name, not the function: the function already depends on the policy, so a reference would be circular.
    const functionArn = Stack.of(this).formatArn({
      service: 'lambda',
      resource: `function:${functionName}`,
    });
    guest.addToRolePolicy(new PolicyStatement({ actions: networkInterfaceActions, resources }));
    guest.addToRolePolicy(
      new PolicyStatement({
        effect: Effect.DENY,
        actions: networkInterfaceActions,
        resources,
        conditions: { ArnEquals: { 'lambda:SourceFunctionArn': functionArn } },
      }),
    );
    Validations.of(guest.role ?? guest).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'Lambda must manage network interfaces on any resource; the function itself is denied these actions.',
    });
  }
}
