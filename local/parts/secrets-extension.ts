import { Hono } from 'hono';
import type { Part } from '../part.ts';
import { serve } from './loopback.ts';

/**
 * The AWS Parameters and Secrets Lambda Extension, in front of the secrets that it is given: `GET /secretsmanager/get?secretId=`.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
 */
export const startSecretsExtension = (secrets: Readonly<Record<string, string>>): Promise<Part> => {
  const app = new Hono().get('/secretsmanager/get', ({ req, json, text }) => {
    const name = req.query('secretId') ?? '';
    if (req.header('x-aws-parameters-secrets-token') === undefined) return text('unauthorized', 401);
    const secret = secrets[name];
    if (secret === undefined) return text(`Secrets Manager can't find the secret ${name}`, 400);
    return json({ Name: name, SecretString: secret, VersionStages: ['AWSCURRENT'] });
  });
  return serve(app.fetch);
};
