import * as z from 'zod/mini';
import { reasonOf, UnavailableError } from '../domain/errors.ts';

export type ExtensionSecret = {
  /** Secrets Manager name or ARN. */
  readonly secretId: string;
  /** TCP port of the AWS Parameters and Secrets Lambda Extension. */
  readonly port: string;
  readonly sessionToken: string;
};

const Answer = z.object({ SecretString: z.string() });

/**
 * The text of a secret, by the AWS Parameters and Secrets Lambda Extension, which caches it for five minutes. It costs the bundle nothing.
 * @throws UnavailableError where the extension does not have it.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
 */
export const extensionSecret = async ({ secretId, port, sessionToken }: ExtensionSecret): Promise<string> => {
  const url = `http://localhost:${port}/secretsmanager/get?secretId=${encodeURIComponent(secretId)}`;
  const response = await fetch(url, {
    headers: { 'X-Aws-Parameters-Secrets-Token': sessionToken },
    signal: AbortSignal.timeout(5_000),
  }).catch((cause: unknown) => {
    throw new UnavailableError(`the secret ${secretId} cannot be read: ${reasonOf(cause)}`, { cause });
  });
  if (!response.ok)
    throw new UnavailableError(`the secret ${secretId} cannot be read: HTTP ${response.status}`);
  const answer = Answer.safeParse(await response.json().catch(() => undefined));
  if (!answer.success)
    throw new UnavailableError(`the secret ${secretId} cannot be read: the extension answered no text`);
  return answer.data.SecretString;
};

/** The same for a secret that need not be: undefined where none is named. */
export const optionalExtensionSecret =
  ({
    secretId,
    ...extension
  }: Omit<ExtensionSecret, 'secretId'> & { readonly secretId: string | undefined }) =>
  async (): Promise<string | undefined> =>
    secretId === undefined ? undefined : extensionSecret({ secretId, ...extension });
