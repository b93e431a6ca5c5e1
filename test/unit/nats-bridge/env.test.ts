import { describe, expect, it } from 'vitest';
import { Env } from '../../../functions/nats-bridge/env.ts';

describe('the nats-bridge’s environment', () => {
  it('needs the URL only', () => {
    expect(Env.parse({ NATS_URL: 'nats://localhost:4222' })).toEqual({
      NATS_URL: 'nats://localhost:4222',
      PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: '2773',
      AWS_SESSION_TOKEN: '',
    });
  });

  it.each([
    ['NATS_URL', undefined],
    ['NATS_URL', ''],
    ['NATS_CREDENTIALS_SECRET', ''],
  ])('is refused by name with %s=%s (C61)', (name, value) => {
    expect(() => Env.parse({ NATS_URL: 'nats://localhost:4222', [name]: value })).toThrow(name);
  });
});
