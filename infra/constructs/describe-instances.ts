import { type Grantee, inRegions, justify } from './permissions.ts';

/** Allows a function to describe instances in these regions only. */
export const grantDescribe = (
  asking: Grantee,
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
