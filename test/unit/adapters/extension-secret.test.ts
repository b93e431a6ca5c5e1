import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { optionalExtensionSecret } from '../../../shared/adapters/extension-secret.ts';
import { loopback } from './loopback.ts';

const extension = async () => {
  const asked: (string | undefined)[] = [];
  const server = createServer(({ url }, response) => {
    asked.push(url);
    response.end(JSON.stringify({ SecretString: 'the token\n' }));
  });
  return { ...(await loopback(server)), asked };
};

describe('a secret that need not be', () => {
  it('is its text where one is named', async () => {
    await using running = await extension();

    const secret = optionalExtensionSecret({ secretId: 'dcm/api', port: running.port, sessionToken: 'x' });

    expect(await secret()).toBe('the token\n');
    expect(running.asked).toEqual(['/secretsmanager/get?secretId=dcm%2Fapi']);
  });

  it('is nothing, and nobody is asked, where none is named', async () => {
    await using running = await extension();

    const secret = optionalExtensionSecret({ secretId: undefined, port: running.port, sessionToken: 'x' });

    expect(await secret()).toBeUndefined();
    expect(running.asked).toEqual([]);
  });
});
