import * as z from 'zod';
import { type LocalServer, serve } from '../processes/loopback.ts';
import { JsonApiError, jsonApi } from './json-api.ts';

const GetSecretValue = z.object({ SecretId: z.string().min(1) });

/**
 * Secrets Manager with the given secrets, by name.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 */
export const startSecretsManager = (secrets: Readonly<Record<string, string>>): Promise<LocalServer> => {
  const getSecretValue = (input: unknown) => {
    const { SecretId } = GetSecretValue.parse(input);
    if (!Object.hasOwn(secrets, SecretId))
      throw new JsonApiError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    return { Name: SecretId, SecretString: secrets[SecretId], VersionStages: ['AWSCURRENT'] };
  };
  return serve(jsonApi(new Map([['GetSecretValue', getSecretValue]]), { service: 'secretsmanager' }).fetch);
};
