import { LambdaClient } from '@aws-sdk/client-lambda';
import type { FunctionName } from '../../infra/function-names.ts';
import { invokeFunction } from '../../shared/adapters/aws/function-invocation.ts';
import { partitionOf } from '../../shared/adapters/aws/regions.ts';
import { secretsManager } from '../../shared/adapters/secrets/secrets-manager.ts';
import { reasonOf } from '../../shared/core/errors.ts';
import { tokensOf } from '../../shared/wire/api-tokens.ts';
import type { Deployment } from './configuration.ts';
import { CommandError } from './terminal.ts';

const clientOf = ({ region, lambdaUrl }: Deployment) =>
  lambdaUrl === undefined
    ? new LambdaClient({ region })
    : new LambdaClient({
        ...{ endpoint: lambdaUrl, region, maxAttempts: 1 },
        credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      });

/** Invokes the functions of a deployment with the AWS credentials of this machine. Rejects with the function and the reason. */
export const functionsOf = (deployment: Deployment, timeoutMs: number) => {
  const client = clientOf(deployment);
  return async (box: FunctionName, request: object): Promise<unknown> => {
    const functionName = `${deployment.name}-${box}`;
    try {
      return (await invokeFunction({ client, functionName, timeoutMs }, request)).answer;
    } catch (cause) {
      if (cause instanceof Error && cause.name === 'AbortError')
        throw new CommandError(
          `${functionName} gave no answer within ${timeoutMs / 1000} s; --timeout waits longer.`,
          { cause },
        );
      throw new CommandError(`${functionName}: ${reasonOf(cause)}${adviceOn(cause)}`, { cause });
    }
  };
};

const adviceOn = (error: unknown): string => {
  const name = error instanceof Error ? error.name : '';
  if (name === 'CredentialsProviderError') return ' Log in to AWS, for instance with aws sso login.';
  if (error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED')
    return '. Check whether npm start runs.';
  if (name === 'ResourceNotFoundException')
    return ' Is the deployment in this account and region? --settings, --name and --region say which is meant.';
  return '';
};

type Where = {
  readonly region: string;
  readonly env: Readonly<Record<string, string | undefined>>;
};

/** The newest token of a secret, which is read with the AWS credentials of this machine. */
export const readToken = async (secret: string, { region, env }: Where): Promise<string | undefined> => {
  const client = new LambdaClient({ region });
  try {
    const { accessKeyId, secretAccessKey, sessionToken } = await client.config.credentials();
    const read = secretsManager({
      ...{ AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
      ...(sessionToken !== undefined && { AWS_SESSION_TOKEN: sessionToken }),
      AWS_ENDPOINT_URL_SECRETS_MANAGER:
        env.AWS_ENDPOINT_URL_SECRETS_MANAGER ??
        `https://secretsmanager.${region}.${partitionOf(region).dnsSuffix}`,
    });
    return tokensOf(await read(secret))[0];
  } catch (cause) {
    throw new CommandError(`The token cannot be read: ${reasonOf(cause)}.${adviceOn(cause)}`, { cause });
  }
};
