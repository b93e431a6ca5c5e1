import { type ArnComponents, ArnFormat, Stack, Validations } from 'aws-cdk-lib';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { partitionOf } from '../../shared/adapters/aws/regions.ts';

type Wildcard = Pick<ArnComponents, 'service' | 'resource' | 'account' | 'region'>;

/** The ARN of resources that are not known before they are there, in any region unless one is given. */
export const wildcard = (user: LambdaFunction, components: Wildcard): string =>
  Stack.of(user).formatArn({
    // The name, not a reference: cdk-nag's findings are known by it.
    partition: partitionOf(Stack.of(user).region).name,
    region: '*',
    arnFormat: ArnFormat.NO_RESOURCE_NAME,
    ...components,
  });

/** Tells cdk-nag why a function's permissions must hold for resources that only a wildcard names. */
export const justify = (user: LambdaFunction, reason: string, wildcards: readonly string[]): void => {
  const stack = Stack.of(user);
  const ids = wildcards.map((arn) => {
    const shown = arn.replace(stack.account, '<AWS::AccountId>');
    return { id: `AwsSolutions-IAM5[Resource::${shown}]`, reason };
  });
  Validations.of(user.role ?? user).acknowledge(...ids);
};
