import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { Health } from '../../../shared/wire/health.ts';
import { httpApiEvent } from '../../fixtures/http-api-event.ts';
import { loopback } from '../adapters/loopback.ts';

/** AWS, where nothing works. */
const aws = await loopback(createServer((_, response) => void response.writeHead(400).end('{}')));
/** Secrets Manager, which has the API's token. */
const secretsManager = await loopback(
  createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ SecretString: '{"token":"open-sesame"}' }));
  }),
);
afterAll(async () => {
  vi.unstubAllEnvs();
  await aws[Symbol.asyncDispose]();
  await secretsManager[Symbol.asyncDispose]();
});

const folder = mkdtempSync(join(tmpdir(), 'dcm-provider-api-'));
afterAll(() => rmSync(folder, { recursive: true }));
const provisioningFile = join(folder, 'provisioning.json');
writeFileSync(provisioningFile, '{"regions":{"us-east-1":{}}}');

const environment = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'secret',
  AWS_ENDPOINT_URL: aws.url,
  FLEET_TABLE: 'fleet',
  OBSERVATIONS_QUEUE_URL: `${aws.url}/queue`,
  NATS_BRIDGE: 'ec2-sp-nats-bridge',
  PROVIDER_NAME: 'ec2-sp',
  TAG_KEYS: '{}',
  HOME_REGION: 'us-east-1',
  PROVISIONING_FILE: provisioningFile,
  API_ACCESS: '{"tokenSecret":"dcm/api-token"}',
  PROVIDER_VERSION: '1.2.3',
  AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.url,
  POWERTOOLS_DEV: 'true',
  POWERTOOLS_LOG_LEVEL: 'SILENT',
};
for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);

const { handler } = await import('../../../functions/provider-api/handler.ts');

const event = (method: string, rawPath: string, more: object = {}): APIGatewayProxyEventV2 =>
  httpApiEvent({ method, rawPath, headers: { host: 'id.execute-api.us-east-1.amazonaws.com' }, ...more });

const context: Context = {
  callbackWaitsForEmptyEventLoop: true,
  functionName: 'ec2-sp-provider-api',
  functionVersion: '$LATEST',
  invokedFunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:ec2-sp-provider-api',
  memoryLimitInMB: '512',
  awsRequestId: 'request-1',
  logGroupName: '/aws/lambda/ec2-sp-provider-api',
  logStreamName: 'stream',
  getRemainingTimeInMillis: () => 10_000,
  done: () => undefined,
  fail: () => undefined,
  succeed: () => undefined,
};

const token = { authorization: 'Bearer open-sesame', 'content-type': 'application/json' };

describe('the provider-api behind API Gateway', () => {
  it('answers health with 200 whatever is wrong, with the reasons', async () => {
    const { statusCode, body } = await handler(event('GET', '/api/v1alpha1/vms/health'), context);

    const health = Health.parse(JSON.parse(body ?? ''));
    expect([statusCode, health.status, health.version]).toEqual([200, 'unhealthy', '1.2.3']);
    expect(health.detail).toContain('NATS does not take statuses');
  });

  it('checks EC2 at AWS_ENDPOINT_URL where no other endpoint is set (X 25)', async () => {
    const { body } = await handler(event('GET', '/health'), context);

    expect(Health.parse(JSON.parse(body ?? '')).detail).toContain(
      'EC2 in us-east-1 answers HTTP 400 to DescribeInstances',
    );
  });

  it('answers 404 at once for the health of a region where no VMs are created (X 3)', async () => {
    const answer = await handler(event('GET', '/eu-west-9/api/v1alpha1/vms/health'), context);

    expect(answer.statusCode).toBe(404);
    expect(JSON.parse(answer.body ?? '')).toMatchObject({ detail: 'no VMs are created in eu-west-9' });
  });

  it('answers 401 to every other request without the token', async () => {
    const answer = await handler(event('GET', '/api/v1alpha1/vms'), context);

    expect(answer).toMatchObject({
      statusCode: 401,
      headers: {
        'content-type': 'application/problem+json',
        'www-authenticate': expect.stringContaining('Bearer'),
        'x-request-id': 'JKJaXmPLvHcESHA=',
      },
      isBase64Encoded: false,
    });
  });

  it('answers requests with the token', async () => {
    const answer = await handler(
      event('POST', '/api/v1alpha1/vms:validate', {
        headers: token,
        body: '{"spec":{"vcpu":{"count":"two"}}}',
      }),
      context,
    );

    expect(answer.statusCode).toBe(400);
    expect(JSON.parse(answer.body ?? '')).toMatchObject({
      detail: 'vcpu.count: expected a whole number of at least 1',
      instance: '/api/v1alpha1/vms:validate#JKJaXmPLvHcESHA=',
    });
  });

  it('answers a method that Fetch forbids with 405, like other methods that a path does not have', async () => {
    const answer = await handler(event('TRACE', '/api/v1alpha1/vms', { headers: token }), context);

    expect(answer).toMatchObject({
      statusCode: 405,
      headers: { allow: 'POST, GET, HEAD', 'x-request-id': 'JKJaXmPLvHcESHA=' },
    });
    expect(JSON.parse(answer.body ?? '')).toMatchObject({ status: 405, detail: 'expected POST, GET, HEAD' });
  });

  it('does not start without its environment variables (C 61)', async () => {
    vi.resetModules();
    vi.stubEnv('API_ACCESS', '{}');

    await expect(import('../../../functions/provider-api/handler.ts')).rejects.toThrow(
      /expected a tokenSecret, or a jwt, or both/,
    );
  });
});
