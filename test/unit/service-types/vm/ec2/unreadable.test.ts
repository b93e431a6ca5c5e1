import { createServer } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { UnavailableError, UnsendableError, UpstreamError } from '../../../../../shared/core/errors.ts';
import { ec2InstanceActions } from '../../../../../shared/service-types/vm/ec2/instance-actions.ts';
import { launchPlan } from '../../../../fixtures/launches.ts';
import { loopback } from '../../../adapters/loopback.ts';

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
  ])('that answers %s is an upstream error (C 23)', async (_, status, body) => {
    await using server = await loopback(
      createServer((_request, response) => void response.writeHead(status).end(body)),
    );

    const starting = behind(server.url).start({ region: 'us-east-1' }, 'i-1234567890abcdef0');

    await expect(starting).rejects.toThrow(UpstreamError);
    await expect(starting).rejects.not.toThrow('hunter2');
  });

  it('that cannot be reached is unavailable', async () => {
    const { url } = await (async () => {
      await using server = await loopback(createServer());
      return server;
    })();

    await expect(behind(url).start({ region: 'us-east-1' }, 'i-1234567890abcdef0')).rejects.toThrow(
      UnavailableError,
    );
  });
});

describe('a request to EC2', () => {
  const placement = { instanceType: 't3.small' };

  it('that cannot be serialised is not sent, and is not an outage', async () => {
    let requests = 0;
    await using server = await loopback(
      createServer((_request, response) => {
        requests += 1;
        response.writeHead(500).end();
      }),
    );
    const plan = launchPlan({ tags: { team: 'shop \ud83d' } });

    const running = behind(server.url).run(plan, placement, 'token-1');

    await expect(running).rejects.toThrow(UnsendableError);
    await expect(running).rejects.toThrow(
      'EC2 in us-east-1 was not asked to run an instance of type t3.small: the request could not be built or signed',
    );
    expect(requests).toBe(0);
  });

  it('that cannot be signed is not sent, and is not an outage', async () => {
    const actions = behind('http://127.0.0.1:1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null');
    vi.stubEnv('AWS_CONFIG_FILE', '/dev/null');

    await expect(actions.start({ region: 'us-east-1' }, 'i-1234567890abcdef0')).rejects.toThrow(
      UnsendableError,
    );
  });
});
