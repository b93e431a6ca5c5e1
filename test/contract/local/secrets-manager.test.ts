import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSecretsManager } from '../../../local/emulators/secrets-manager.ts';
import { secretsManager } from '../../../shared/adapters/secrets/secrets-manager.ts';

describe('the emulated Secrets Manager', () => {
  let running: Awaited<ReturnType<typeof startSecretsManager>>;
  beforeAll(async () => {
    running = await startSecretsManager({ 'my/secret': 'text' });
  });
  afterAll(() => running[Symbol.asyncDispose]());

  const read = (secretId: string) =>
    secretsManager({
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'secret',
      AWS_ENDPOINT_URL_SECRETS_MANAGER: running.url,
    })(secretId);

  it('gives a function the text of a secret', async () => {
    expect(await read('my/secret')).toBe('text');
  });

  it.each(['other', 'toString'])('does not know the secret %s', async (name) => {
    await expect(read(name)).rejects.toThrow(
      `the secret ${name} cannot be read: ResourceNotFoundException: Secrets Manager can't find the specified secret.`,
    );
  });
});
