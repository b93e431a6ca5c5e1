import { Stack } from 'aws-cdk-lib';
import { type IPrincipal, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';

/**
 * A service that may assume a role only for resources of this account and region, so that another account cannot have the service use our
 * role. `resource` is the part of their ARNs behind the account, such as `rule/*`; not an attribute of a resource that needs the role.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
 */
export const serviceOfThisAccount = (
  scope: Construct,
  service: 'events' | 'states',
  resource: string,
): IPrincipal => {
  const stack = Stack.of(scope);
  return new ServicePrincipal(`${service}.amazonaws.com`, {
    conditions: {
      StringEquals: { 'aws:SourceAccount': stack.account },
      ArnLike: { 'aws:SourceArn': stack.formatArn({ service, resource }) },
    },
  });
};
