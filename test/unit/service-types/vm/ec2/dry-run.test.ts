import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../../../shared/core/errors.ts';
import { ec2DryRun } from '../../../../../shared/service-types/vm/ec2/dry-run.ts';
import { loopback } from '../../../adapters/loopback.ts';

const credentials = async () => ({
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'secret',
  sessionToken: 'session-1',
});

const errorXml = (code: string) =>
  `<?xml version="1.0"?><Response><Errors><Error><Code>${code}</Code><Message>with 10.0.0.7</Message></Error></Errors></Response>`;

/** An EC2 that answers everything alike. */
const ec2 = async (status: number, text: string) => {
  const asked: unknown[] = [];
  const server = createServer(async (request, response) => {
    const body = (await request.toArray()).join('');
    const { authorization, 'x-amz-security-token': session } = request.headers;
    asked.push({ method: request.method, body, authorization, session });
    response.writeHead(status, { 'content-type': 'text/xml' }).end(text);
  });
  return { ...(await loopback(server)), asked };
};

describe('EC2', () => {
  it('is asked for a dry run, signed for its region', async () => {
    await using server = await ec2(412, errorXml('DryRunOperation'));

    await ec2DryRun({ credentials, endpoint: server.url })({ region: 'eu-west-1' });

    expect(server.asked).toEqual([
      {
        method: 'POST',
        body: 'Action=DescribeInstances&DryRun=true&Version=2016-11-15',
        session: 'session-1',
        authorization: expect.stringMatching(
          /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/ec2\/aws4_request, /,
        ),
      },
    ]);
  });

  it.each([
    [412, 'DryRunOperation'],
    [503, 'RequestLimitExceeded'],
  ])('is healthy where it answers %i %s', async (status, code) => {
    await using server = await ec2(status, errorXml(code));

    await expect(
      ec2DryRun({ credentials, endpoint: server.url })({ region: 'eu-west-1' }),
    ).resolves.toBeUndefined();
  });

  it.each([
    [403, errorXml('UnauthorizedOperation'), 'UnauthorizedOperation'],
    [401, errorXml('AuthFailure'), 'AuthFailure'],
    [400, errorXml('Client.InvalidParameter'), 'Client.InvalidParameter'],
    [503, errorXml('Unavailable'), 'Unavailable'],
    [500, '<html>busy</html>', 'HTTP 500'],
    [200, '', 'HTTP 200'],
  ])('is unhealthy where it answers %i %s', async (status, text, said) => {
    await using server = await ec2(status, text);

    const probe = ec2DryRun({ credentials, endpoint: server.url })({ region: 'eu-west-1' });

    await expect(probe).rejects.toThrow(
      new UnavailableError(`EC2 in eu-west-1 answers ${said} to DescribeInstances`),
    );
  });

  it('is unhealthy where there is no answer, or a late one', async () => {
    const gone = await loopback(createServer());
    await gone[Symbol.asyncDispose]();
    await using silent = await loopback(createServer(() => undefined));

    const refused = ec2DryRun({ credentials, endpoint: gone.url })({ region: 'eu-west-1' });
    await expect(refused).rejects.toThrow(
      new UnavailableError('EC2 in eu-west-1 does not answer: no connection'),
    );
    const late = ec2DryRun({ credentials, endpoint: silent.url, timeoutMs: 20 })({ region: 'eu-west-1' });
    await expect(late).rejects.toThrow(UnavailableError);
  });
});
