import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { secretsExtension } from '../secrets-extension.ts';
import type { HouseFunctionProps } from './house-function.ts';

/** What a function is made with that reads a secret; nothing where there is none. */
export const secretsOf = (secretName: string | undefined): Pick<HouseFunctionProps, 'paramsAndSecrets'> =>
  secretName === undefined ? {} : { paramsAndSecrets: secretsExtension };

/** Lets a function read that secret, which is found by its name, and no other. */
export const grantSecret = (reader: LambdaFunction, id: string, secretName: string | undefined): void => {
  if (secretName === undefined) return;
  const scope = reader.node.scope ?? reader;
  Secret.fromSecretNameV2(scope, id, secretName).grantRead(reader);
};
