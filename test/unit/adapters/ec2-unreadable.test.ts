import { createServer } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ec2InstanceActions } from '../../../shared/adapters/ec2-instance-actions.ts';
import { UnavailableError, UpstreamError } from '../../../shared/domain/errors.ts';
import { loopback } from './loopback.ts';

afterEach(() => vi.unstubAllEnvs());

const behind = (url: string) => {
  vi.stubEnv('AWS_ENDPOINT_URL_EC2', url);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
  return ec2InstanceActions();
};

describe('EC2 behind a proxy', () => {
  it.each([
    ['HTML', 200, '<!doctype html><h1>Bad gateway'],
    ['HTML as an error', 400, '<html><body>Blocked by proxy hunter2</body></html>'],
    ['JSON', 200, '{"message":"hello"}'],
    ['half an answer', 200, '<?xml version="1.0"?><StartInstancesResponse><instancesSet><item>'],
    ['nothing, as an error', 400, ''],
    [
      'an error without a code',
      400,
      '<Response><Errors><Error><Message>hunter2</Message></Error></Errors></Response>',
    ],
  ])('that answers %s is an upstream that failed (C 23)', async (_, status, body) => {
    await using server = await loopback(
      createServer((_request, response) => void response.writeHead(status).end(body)),
    );

    const starting = behind(server.url).start('us-east-1', 'i-1234567890abcdef0');

    await expect(starting).rejects.toThrow(UpstreamError);
    await expect(starting).rejects.not.toThrow('hunter2');
  });

  it('that is not there is unavailable', async () => {
    const { url } = await (async () => {
      await using server = await loopback(createServer());
      return server;
    })();

    await expect(behind(url).start('us-east-1', 'i-1234567890abcdef0')).rejects.toThrow(UnavailableError);
  });
});
