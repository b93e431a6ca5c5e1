import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { inRegions, justify } from './permissions.ts';

/** Allows a function to describe instances in these regions only. */
export const grantDescribe = (
  asking: LambdaFunction,
  actions: ('ec2:DescribeInstances' | 'ec2:DescribeInstanceStatus')[],
  regions: readonly string[],
): void => {
  asking.addToRolePolicy(inRegions(regions, ...actions));
  justify(
    asking,
    `${actions.join(' and ')} have no resource-level permissions; they are limited to the regions that are reported.`,
    ['*'],
  );
};
