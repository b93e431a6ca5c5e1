import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { optionalSecret, secretsManager } from '../../../../shared/adapters/secrets/secrets-manager.ts';
import { UnavailableError } from '../../../../shared/core/errors.ts';
import { loopback } from '../loopback.ts';

const lambda = {
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'secret',
  AWS_SESSION_TOKEN: 'session-1',
};

type Reply = { readonly status?: number; readonly body: unknown };
type Asked = Pick<IncomingMessage, 'headers'> & { readonly body: string };

/** Secrets Manager, which answers each request by the next of these replies, and goes on with the last one. */
const answering = async (...replies: readonly Reply[]) => {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const reply = replies[Math.min(asked.length, replies.length - 1)];
    asked.push({ headers: request.headers, body: await text(request) });
    response.writeHead(reply?.status ?? 200, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(typeof reply?.body === 'string' ? reply.body : JSON.stringify(reply?.body));
  });
  const running = await loopback(server);
  let nowMs = 0;
  const read = secretsManager({ ...lambda, AWS_ENDPOINT_URL_SECRETS_MANAGER: running.url }, () => nowMs);
  return { ...running, asked, read, wait: (ms: number) => (nowMs += ms) };
};

const secret = (SecretString: string): Reply => ({ body: { Name: 'dcm/api', SecretString } });
const refusal = (code: string, message: string): Reply => ({
  status: 400,
  body: { __type: code, Message: message },
});

describe('a secret', () => {
  it('is read from Secrets Manager by one signed request with the function’s own credentials', async () => {
    await using secrets = await answering(secret('the token\n'));

    const read = await secrets.read('dcm/api');

    expect(read).toBe('the token\n');
    expect(secrets.asked).toEqual([
      {
        body: '{"SecretId":"dcm/api"}',
        headers: expect.objectContaining({
          'x-amz-target': 'secretsmanager.GetSecretValue',
          'x-amz-security-token': 'session-1',
          authorization: expect.stringMatching(
            /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/secretsmanager\/aws4_request, /,
          ),
        }),
      },
    ]);
  });

  it('is kept for five minutes, and read once for many at the same time', async () => {
    await using secrets = await answering(secret('old'), secret('new'));

    const first = await Promise.all([secrets.read('dcm/api'), secrets.read('dcm/api')]);
    secrets.wait(299_999);
    const kept = await secrets.read('dcm/api');

    expect([...first, kept]).toEqual(['old', 'old', 'old']);
    expect(secrets.asked).toHaveLength(1);
  });

  it('is read again at once where a newer one is asked for', async () => {
    await using secrets = await answering(secret('old'), secret('new'));
    await secrets.read('dcm/api');

    expect([await secrets.read('dcm/api', 0), await secrets.read('dcm/api')]).toEqual(['new', 'new']);
  });

  it('that was rotated is used after five minutes, without a restart', async () => {
    await using secrets = await answering(secret('old'), secret('new'));

    const before = await secrets.read('dcm/api');
    secrets.wait(300_000);

    expect([before, await secrets.read('dcm/api')]).toEqual(['old', 'new']);
  });

  it.each<[string, Reply]>([
    ['fails', { status: 500, body: {} }],
    ['throttles', refusal('ThrottlingException', 'Rate exceeded')],
  ])('is read once more where Secrets Manager %s', async (_, failure) => {
    await using secrets = await answering(failure, secret('text'));

    expect(await secrets.read('dcm/api')).toBe('text');
  });

  it.each<[string, Reply, string]>([
    [
      'does not exist',
      refusal('ResourceNotFoundException', "Secrets Manager can't find the specified secret."),
      "ResourceNotFoundException: Secrets Manager can't find the specified secret.",
    ],
    [
      'may not be read',
      refusal('AccessDeniedException', 'not authorized'),
      'AccessDeniedException: not authorized',
    ],
    ['is answered by something else', { status: 403, body: '<html>' }, 'HTTP 403'],
    [
      'is binary',
      { body: { Name: 'x', SecretBinary: 'AA==' } },
      'it has no SecretString; store the secret as text',
    ],
    ['is on a failing server', { status: 503, body: {} }, 'HTTP 503'],
  ])(
    'that %s is unavailable, with the reason, and read again by the next call',
    async (_, failure, reason) => {
      await using secrets = await answering(failure);

      const read = secrets.read('dcm/api');

      await expect(read).rejects.toThrow(
        new UnavailableError(`the secret dcm/api cannot be read: ${reason}`),
      );
      const asked = secrets.asked.length;
      await expect(secrets.read('dcm/api')).rejects.toThrow(UnavailableError);
      expect(secrets.asked.length).toBeGreaterThan(asked);
    },
  );

  it('is unavailable where Secrets Manager cannot be reached', async () => {
    const { url, ...stopped } = await loopback(createServer());
    await stopped[Symbol.asyncDispose]();

    const read = secretsManager({ ...lambda, AWS_ENDPOINT_URL: url })('dcm/api');

    await expect(read).rejects.toThrow(UnavailableError);
    await expect(read).rejects.toThrow('the secret dcm/api cannot be read: Secrets Manager was not reached');
  });

  it('that need not exist is undefined where none is named, and nothing is read', async () => {
    await using secrets = await answering(secret('text'));

    expect(await optionalSecret(secrets.read, undefined)()).toBeUndefined();
    expect(await optionalSecret(secrets.read, 'dcm/api')()).toBe('text');
    expect(secrets.asked).toHaveLength(1);
  });

  it('is unavailable where no endpoint is known', async () => {
    await expect(secretsManager(lambda)('dcm/api')).rejects.toThrow(
      'the secret dcm/api cannot be read: Secrets Manager was not reached: AWS_ENDPOINT_URL_SECRETS_MANAGER is not set',
    );
  });
});
