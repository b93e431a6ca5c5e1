import { type ArnComponents, ArnFormat, Stack, Token, Validations } from 'aws-cdk-lib';
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import { type Partition, partitionOf } from '../../shared/adapters/aws/regions.ts';
import { managedByDcm } from '../../shared/core/ownership.ts';
import type { Settings } from '../settings/settings.ts';

/** Who gets permissions: a function, by its role, or a role in another account. */
export type Grantee = IConstruct & {
  readonly role?: IRole;
  addToRolePolicy(statement: PolicyStatement): void;
};

/** The context key of a region of the partition, in a stack that is deployed to several regions. */
export const anyRegionOfStack = 'dcm:any-region';

/** The partition that a stack is deployed to. */
export const partitionIn = (scope: IConstruct): Partition => {
  const { region } = Stack.of(scope);
  return partitionOf(Token.isUnresolved(region) ? String(scope.node.getContext(anyRegionOfStack)) : region);
};

type Wildcard = Pick<ArnComponents, 'service' | 'resource' | 'account' | 'region'>;

/** The ARN of resources whose ids are not known in advance, in any region unless one is given. */
export const wildcard = (user: Grantee, components: Wildcard): string =>
  Stack.of(user).formatArn({
    // The name, not a reference: the ids of cdk-nag's findings contain it.
    partition: partitionIn(user).name,
    region: '*',
    arnFormat: ArnFormat.NO_RESOURCE_NAME,
    ...components,
  });

/** Acknowledges cdk-nag's findings about wildcards in a function's permissions, with the reason. */
export const justify = (user: Grantee, reason: string, wildcards: readonly string[]): void => {
  const stack = Stack.of(user);
  const ids = wildcards.map((arn) => {
    const shown = Token.isUnresolved(stack.account) ? arn.replace(stack.account, '<AWS::AccountId>') : arn;
    return { id: `AwsSolutions-IAM5[Resource::${shown}]`, reason };
  });
  Validations.of(user.role ?? user).acknowledge(...ids);
};

/** Allows actions that have no resource-level permissions, in these regions. */
export const inRegions = (regions: readonly string[], ...actions: string[]): PolicyStatement =>
  new PolicyStatement({
    actions,
    resources: ['*'],
    conditions: { StringEquals: { 'aws:RequestedRegion': regions } },
  });

/** The condition that a request gives our ownership tags, or that the resource has them. */
export const ownershipTags = (
  { tags, provider }: Pick<Settings, 'tags' | 'provider'>,
  key: 'RequestTag' | 'ResourceTag',
) => ({
  [`aws:${key}/${tags.managedBy}`]: managedByDcm,
  [`aws:${key}/${tags.provider}`]: provider.name,
});

/** Allows passing these roles to a service, and no others. */
export const passRoles = (roles: readonly string[], services: readonly string[]): PolicyStatement =>
  new PolicyStatement({
    actions: ['iam:PassRole'],
    resources: [...new Set(roles)],
    conditions: { StringEquals: { 'iam:PassedToService': services } },
  });

/** Allows creating a service-linked role, which the first use of a service in an account does. */
export const createServiceLinkedRole = (caller: Grantee, service: string, name: string): PolicyStatement =>
  new PolicyStatement({
    actions: ['iam:CreateServiceLinkedRole'],
    resources: [
      Stack.of(caller).formatArn({
        service: 'iam',
        region: '',
        resource: `role/aws-service-role/${service}/${name}`,
        arnFormat: ArnFormat.NO_RESOURCE_NAME,
      }),
    ],
    conditions: { StringEquals: { 'iam:AWSServiceName': service } },
  });
