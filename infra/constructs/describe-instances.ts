import { Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';

/** Allows a function to describe instances in these regions only. */
export const grantDescribe = (
  asking: LambdaFunction,
  actions: ('ec2:DescribeInstances' | 'ec2:DescribeInstanceStatus')[],
  regions: readonly string[],
): void => {
  asking.addToRolePolicy(
    new PolicyStatement({
      actions,
      resources: ['*'],
      conditions: { StringEquals: { 'aws:RequestedRegion': regions } },
    }),
  );
  Validations.of(asking.role ?? asking).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: `${actions.join(' and ')} have no resource-level permissions; they are limited to the regions that are reported.`,
  });
};
