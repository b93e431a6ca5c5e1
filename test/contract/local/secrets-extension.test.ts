import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSecretsExtension } from '../../../local/parts/secrets-extension.ts';
import { extensionSecret } from '../../../shared/adapters/extension-secret.ts';

describe('secrets extension', () => {
  let extension: Awaited<ReturnType<typeof startSecretsExtension>>;
  beforeAll(async () => {
    extension = await startSecretsExtension({ 'my/secret': 'text' });
  });
  afterAll(() => extension[Symbol.asyncDispose]());

  const secret = (secretId: string) =>
    extensionSecret({ secretId, port: new URL(extension.url).port, sessionToken: '' });

  it('gives a function the text of a secret', async () => {
    expect(await secret('my/secret')).toBe('text');
  });

  it('does not know any other', async () => {
    await expect(secret('other')).rejects.toThrow('the secret other cannot be read: HTTP 400');
  });

  it('answers nobody who does not send a session token', async () => {
    const response = await fetch(`${extension.url}/secretsmanager/get?secretId=my/secret`);

    expect(response.status).toBe(401);
  });
});
