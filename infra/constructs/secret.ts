import { Stack } from 'aws-cdk-lib';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { partitionOf } from '../../shared/adapters/aws/regions.ts';
import type { SecretsManagerEnvironment } from '../../shared/adapters/secrets/secrets-manager.ts';

/** The environment variable of a function that reads a secret; empty without a secret. */
export const secretsManagerEndpoint = (scope: Construct, secretName: string | undefined) => {
  const { region } = Stack.of(scope);
  return secretName === undefined
    ? {}
    : ({
        AWS_ENDPOINT_URL_SECRETS_MANAGER: `https://secretsmanager.${region}.${partitionOf(region).dnsSuffix}`,
      } satisfies Partial<SecretsManagerEnvironment>);
};

/** Allows a function to read that secret, which is referred to by its name, and no other. */
export const grantSecret = (reader: LambdaFunction, id: string, secretName: string | undefined): void => {
  if (secretName === undefined) return;
  const scope = reader.node.scope ?? reader;
  Secret.fromSecretNameV2(scope, id, secretName).grantRead(reader);
};
