import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { bearerTokens } from '../../../../shared/adapters/dcm/bearer-tokens.ts';
import { SettingsError, UnavailableError } from '../../../../shared/core/errors.ts';
import { loopback } from '../loopback.ts';

type Reply = { readonly status?: number; readonly body?: unknown; readonly location?: string };

/** An OAuth server that gives these replies, and then repeats the last one; and a clock. */
const oauth = async (...replies: readonly Reply[]) => {
  const forms: Record<string, string>[] = [];
  const server = createServer(async (request, response) => {
    const { status = 200, body, location } = replies[Math.min(forms.length, replies.length - 1)] ?? {};
    forms.push(Object.fromEntries(new URLSearchParams(await text(request))));
    response.writeHead(status, { 'content-type': 'application/json', ...(location && { location }) });
    response.end(JSON.stringify(body));
  });
  const running = await loopback(server);
  const client = { tokenEndpoint: `${running.url}/token`, clientId: 'ec2-sp', clientSecret: 'dcm/client' };
  let nowMs = 0;
  const secrets = ['s3cret', 'rotated'];
  const readSecret = async (_: string, maximumAgeMs?: number) => secrets[maximumAgeMs === 0 ? 1 : 0] ?? '';
  return {
    ...{ ...running, forms, client },
    tokens: bearerTokens({ ...client, scope: 'agent' }, readSecret, () => nowMs),
    wait: (seconds: number) => (nowMs += seconds * 1000),
  };
};

const granted = (token: string, seconds?: number): Reply => ({
  body: { access_token: token, token_type: 'Bearer', expires_in: seconds },
});

describe('a token by client credentials', () => {
  it('is requested with the client, its secret and the scope (Y 3)', async () => {
    await using server = await oauth(granted('token-1', 300));

    expect(await server.tokens.current()).toBe('token-1');

    expect(server.forms).toEqual([
      {
        ...{ grant_type: 'client_credentials', client_id: 'ec2-sp' },
        ...{ client_secret: 's3cret', scope: 'agent' },
      },
    ]);
  });

  it.each([
    ['30 seconds before it expires', granted('token-1', 300), 269, 270],
    ['half a minute after it was granted, where the server does not say', granted('token-1'), 29, 30],
  ])('is renewed %s', async (_, first, kept, renewed) => {
    await using server = await oauth(first, granted('token-2', 300));
    await server.tokens.current();

    server.wait(kept);
    expect(await server.tokens.current()).toBe('token-1');

    server.wait(renewed - kept);
    expect(await server.tokens.current()).toBe('token-2');
  });

  it('that is refused is renewed once for all callers, with the secret read again', async () => {
    await using server = await oauth(granted('token-1', 300), granted('token-2', 300));
    const refused = await server.tokens.current();

    const first = await server.tokens.renewed(refused);
    const second = await server.tokens.renewed(refused);

    expect([first, second, await server.tokens.current()]).toEqual(['token-2', 'token-2', 'token-2']);
    expect(server.forms.map(({ client_secret: secret }) => secret)).toEqual(['s3cret', 'rotated']);
  });

  it('is not retried when the server refuses the client; the error has the reason and no secret (Y 3)', async () => {
    const body = { error: 'invalid_client', error_description: 'not s3cret' };
    await using server = await oauth({ status: 401, body });

    const error = await server.tokens.current().catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(SettingsError);
    expect(error).toHaveProperty(
      'message',
      `${server.client.tokenEndpoint} did not give the client ec2-sp a token: HTTP 401, invalid_client, not ***; check clientId, scope and the secret dcm/client`,
    );
  });

  it.each<[string, Reply]>([
    ['answers 503', { status: 503 }],
    ['throttles', { status: 429 }],
    ['answers JSON without a token', { body: { ok: true } }],
  ])('can be obtained later when the server %s', async (_, reply) => {
    await using server = await oauth(reply, granted('token-1', 300));

    await expect(server.tokens.current()).rejects.toThrow(UnavailableError);
    expect(await server.tokens.current()).toBe('token-1');
  });

  it('is not requested where the server redirects to, because the form has the secret', async () => {
    await using elsewhere = await oauth(granted('stolen'));
    await using server = await oauth({ status: 307, location: elsewhere.client.tokenEndpoint });

    await expect(server.tokens.current()).rejects.toThrow(SettingsError);
    expect(elsewhere.forms).toEqual([]);
  });
});

describe('a token from a secret', () => {
  it('is the text of the secret, read again when it is refused (Y 3)', async () => {
    const ages: (number | undefined)[] = [];
    const readSecret = async (_: string, maximumAgeMs?: number) => {
      ages.push(maximumAgeMs);
      return ages.length === 1 ? 'old\n' : 'new\n';
    };
    const tokens = bearerTokens({ tokenSecret: 'dcm/agent-token' }, readSecret);

    expect([await tokens.current(), await tokens.renewed('old')]).toEqual(['old', 'new']);
    expect(ages).toEqual([undefined, 0]);
  });
});
