import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../shared/core/errors.ts';
import { eksProbe } from '../../../shared/service-types/cluster/eks/probe.ts';
import { ecsProbe } from '../../../shared/service-types/container/ecs/probe.ts';
import { loopback } from '../adapters/loopback.ts';

const credentials = async () => ({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' });
const target = { region: 'eu-west-1' };
const ecsClusters = { 'eu-west-1': 'dcm' };

/** A service that answers everything alike. */
const service = async (status: number, answer: unknown) => {
  const asked: unknown[] = [];
  const server = createServer(async (request, response) => {
    const body = (await request.toArray()).join('');
    const { method, url, headers } = request;
    const scope = /Credential=AKIDEXAMPLE\/\d{8}\/([^,]+)/.exec(headers.authorization ?? '')?.[1];
    asked.push({ method, url, body, action: headers['x-amz-target'], scope });
    response.writeHead(status).end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  });
  return { ...(await loopback(server)), asked };
};

describe('ECS', () => {
  it('is asked for the cluster of the region, signed for it', async () => {
    await using server = await service(200, { clusters: [{ status: 'ACTIVE' }], failures: [] });

    await ecsProbe({ credentials, endpoint: server.url, ecsClusters })(target);

    expect(server.asked).toEqual([
      {
        ...{ method: 'POST', url: '/', body: '{"clusters":["dcm"]}', scope: 'eu-west-1/ecs/aws4_request' },
        action: 'AmazonEC2ContainerServiceV20141113.DescribeClusters',
      },
    ]);
  });

  it('is healthy while it throttles', async () => {
    await using server = await service(400, { __type: 'ThrottlingException', message: 'Rate exceeded' });

    await expect(
      ecsProbe({ credentials, endpoint: server.url, ecsClusters })(target),
    ).resolves.toBeUndefined();
  });

  it.each([
    [200, { clusters: [{ status: 'INACTIVE' }] }, 'the ECS cluster of eu-west-1 is INACTIVE'],
    [200, { clusters: [], failures: [{ reason: 'MISSING' }] }, 'the ECS cluster of eu-west-1 is missing'],
    [
      400,
      { __type: 'com.amazon.coral#AccessDeniedException', Message: 'of 10.0.0.7' },
      'ECS in eu-west-1 answers AccessDeniedException to DescribeClusters',
    ],
    [500, '<html>busy</html>', 'ECS in eu-west-1 answers HTTP 500 to DescribeClusters'],
  ])('is unhealthy where it answers %i %j', async (status, answer, why) => {
    await using server = await service(status, answer);

    await expect(ecsProbe({ credentials, endpoint: server.url, ecsClusters })(target)).rejects.toThrow(
      new UnavailableError(why),
    );
  });
});

describe('EKS', () => {
  it('is asked for one name, signed for the region', async () => {
    await using server = await service(200, { clusters: [] });

    await eksProbe({ credentials, endpoint: server.url })(target);

    expect(server.asked).toEqual([
      {
        ...{ method: 'GET', url: '/clusters?maxResults=1', body: '', action: undefined },
        scope: 'eu-west-1/eks/aws4_request',
      },
    ]);
  });

  it('is healthy while it throttles', async () => {
    await using server = await service(429, { message: 'Too Many Requests' });

    await expect(eksProbe({ credentials, endpoint: server.url })(target)).resolves.toBeUndefined();
  });

  it('is unhealthy where it refuses, or does not answer', async () => {
    await using server = await service(403, { message: 'of 10.0.0.7' });
    const gone = await loopback(createServer());
    await gone[Symbol.asyncDispose]();

    await expect(eksProbe({ credentials, endpoint: server.url })(target)).rejects.toThrow(
      new UnavailableError('EKS in eu-west-1 answers HTTP 403 to ListClusters'),
    );
    await expect(eksProbe({ credentials, endpoint: gone.url })(target)).rejects.toThrow(
      new UnavailableError('EKS in eu-west-1 does not answer: no connection'),
    );
  });
});
