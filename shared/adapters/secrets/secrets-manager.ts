import { setTimeout as pause } from 'node:timers/promises';
import { AwsClient } from 'aws4fetch';
import * as z from 'zod/mini';
import { reasonOf, UnavailableError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';

/** The variables that Lambda gives every function, and the endpoint variables of AWS's SDKs. */
export const SecretsManagerEnvironment = z.object({
  AWS_REGION: z.string().check(z.minLength(1)),
  AWS_ACCESS_KEY_ID: z.string().check(z.minLength(1)),
  AWS_SECRET_ACCESS_KEY: z.string().check(z.minLength(1)),
  AWS_SESSION_TOKEN: z.optional(z.string()),
  /** A deployment sets it to the endpoint of the region wherever a function reads a secret. Absent: `AWS_ENDPOINT_URL`. */
  AWS_ENDPOINT_URL_SECRETS_MANAGER: z.optional(z.url()),
  AWS_ENDPOINT_URL: z.optional(z.url()),
});
export type SecretsManagerEnvironment = z.infer<typeof SecretsManagerEnvironment>;

/**
 * The text of a secret, by its name or ARN. Cached for five minutes, so that a rotated secret is used within that time; `maximumAgeMs`
 * asks for a newer one.
 * @throws UnavailableError where it cannot be read; failures are not cached.
 */
export type ReadSecret = (secretId: string, maximumAgeMs?: number) => Promise<string>;

/** The default of AWS's Parameters and Secrets extension. */
const cachedForMs = 300_000;
const attempts = 2;
const attemptTimeoutMs = 2_000;
const pauseMs = 100;

/**
 * Secrets Manager by one signed request, without the SDK's client: the secret is read at a cold start, and the client would be larger than
 * the rest of the nats-bridge. AWS's extension for Lambda is not available in every region (docs/adr/0029).
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 */
export const secretsManager = (environment: SecretsManagerEnvironment, now: Clock = Date.now): ReadSecret => {
  const getSecretValue = secretsManagerClient(environment);
  const cache = new Map<string, { readonly text: Promise<string>; readonly atMs: number }>();
  return (secretId, maximumAgeMs = cachedForMs) => {
    const found = cache.get(secretId);
    if (found && now() - found.atMs < maximumAgeMs) return found.text;
    const text = getSecretValue(secretId);
    cache.set(secretId, { text, atMs: now() });
    text.catch(() => {
      if (cache.get(secretId)?.text === text) cache.delete(secretId);
    });
    return text;
  };
};

/** The same for an optional secret: undefined where there is no id. */
export const optionalSecret =
  (readSecret: ReadSecret, secretId: string | undefined) => async (): Promise<string | undefined> =>
    secretId === undefined ? undefined : readSecret(secretId);

const secretsManagerClient = (environment: SecretsManagerEnvironment) => {
  const { AWS_REGION: region, AWS_SESSION_TOKEN: sessionToken } = environment;
  const client = new AwsClient({
    accessKeyId: environment.AWS_ACCESS_KEY_ID,
    secretAccessKey: environment.AWS_SECRET_ACCESS_KEY,
    ...(sessionToken !== undefined && { sessionToken }),
    ...{ service: 'secretsmanager', region, retries: 0 },
  });
  const endpoint = environment.AWS_ENDPOINT_URL_SECRETS_MANAGER ?? environment.AWS_ENDPOINT_URL;

  const request = async (secretId: string): Promise<Answer> => {
    if (endpoint === undefined) throw new Error('AWS_ENDPOINT_URL_SECRETS_MANAGER is not set');
    const response = await client.fetch(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'secretsmanager.GetSecretValue',
        // While Lambda freezes the function, a kept connection can break without notice.
        connection: 'close',
      },
      body: JSON.stringify({ SecretId: secretId }),
      signal: AbortSignal.timeout(attemptTimeoutMs),
    });
    return { ok: response.ok, status: response.status, body: await response.json().catch(() => undefined) };
  };

  return async (secretId: string): Promise<string> => {
    for (let attempt = 1; ; attempt++) {
      const answer = await request(secretId).catch((cause: unknown) => ({ cause }));
      if (attempt < attempts && isTransient(answer)) await pause(pauseMs);
      else return textOf(secretId, answer);
    }
  };
};

type Answer = { readonly ok: boolean; readonly status: number; readonly body: unknown };
type Failure = { readonly cause: unknown };

const Secret = z.object({ SecretString: z.string() });
/** Services with the JSON 1.1 protocol use either spelling of the message. */
const AwsError = z.object({
  __type: z.string(),
  message: z.optional(z.string()),
  Message: z.optional(z.string()),
});

const errorCode = (body: unknown): string | undefined =>
  AwsError.safeParse(body).data?.__type.split('#').at(-1);

const isTransient = (answer: Answer | Failure): boolean =>
  'cause' in answer || answer.status >= 500 || errorCode(answer.body) === 'ThrottlingException';

const textOf = (secretId: string, answer: Answer | Failure): string => {
  const unreadable = (why: string, cause?: unknown) =>
    new UnavailableError(`the secret ${secretId} cannot be read: ${why}`, { cause });
  if ('cause' in answer)
    throw unreadable(`Secrets Manager was not reached: ${reasonOf(answer.cause)}`, answer.cause);
  if (!answer.ok) {
    const { data } = AwsError.safeParse(answer.body);
    const message = data?.message ?? data?.Message;
    const code = errorCode(answer.body) ?? `HTTP ${answer.status}`;
    throw unreadable(message === undefined ? code : `${code}: ${message}`);
  }
  const { data } = Secret.safeParse(answer.body);
  if (data === undefined) throw unreadable('it has no SecretString; store the secret as text');
  return data.SecretString;
};
