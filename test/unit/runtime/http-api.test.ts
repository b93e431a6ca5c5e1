import { describe, expect, it } from 'vitest';
import { httpApi } from '../../../shared/runtime/http-api.ts';
import { httpApiEvent } from '../../fixtures/http-api-event.ts';

type Changes = Parameters<typeof httpApiEvent>[0];

/** The request that a handler gets to see. */
const seen = async (changes: Changes): Promise<Request> => {
  const requests: Request[] = [];
  await httpApi((request) => {
    requests.push(request);
    return new Response();
  })(httpApiEvent(changes));
  const [request] = requests;
  if (request === undefined) throw new Error('the handler was not invoked');
  return request;
};

describe('a request through API Gateway', () => {
  it('has its method, path, query, headers and body', async () => {
    const request = await seen({
      method: 'POST',
      rawQueryString: 'id=vm-1&note=a%20b',
      headers: { authorization: 'Bearer t', 'content-type': 'application/json' },
      body: '{"spec":{"name":"ü"}}',
    });

    const { pathname, searchParams } = new URL(request.url);
    expect([request.method, pathname, Object.fromEntries(searchParams)]).toEqual([
      'POST',
      '/api/v1alpha1/vms',
      { id: 'vm-1', note: 'a b' },
    ]);
    expect(request.headers.get('authorization')).toBe('Bearer t');
    expect(await request.json()).toEqual({ spec: { name: 'ü' } });
  });

  it.each(['TRACE', 'CONNECT', 'track'])(
    'keeps the method %s, with which Fetch makes no request',
    async (method) => {
      const request = await seen({ method, body: '{}' });

      expect([request.method, new URL(request.url).pathname]).toEqual([method, '/api/v1alpha1/vms']);
    },
  );

  it('has the bytes of a body in base64', async () => {
    const body = Buffer.from('{"a":1}').toString('base64');

    expect(await (await seen({ method: 'POST', body, isBase64Encoded: true })).json()).toEqual({ a: 1 });
  });

  it.each([
    ['/vms/a?id=b', '/vms/a%3Fid=b'],
    ['/vms/a#b', '/vms/a%23b'],
    ['/vms/a b', '/vms/a%20b'],
    ['/vms/ü', '/vms/%C3%BC'],
    ['/vms/100%', '/vms/100%'],
    ['//evil.example/vms', '//evil.example/vms'],
  ])('keeps the path %s, which the gateway has decoded, a path', async (rawPath, pathname) => {
    const url = new URL((await seen({ rawPath })).url);

    expect([url.host, url.pathname, url.search]).toEqual(['provider-api', pathname, '']);
  });

  it('loses a header that none can be, and a body that GET cannot have, rather than all of it', async () => {
    const request = await seen({ headers: { 'x-request-id': '日本', accept: '*/*' }, body: '{}' });

    expect([request.headers.get('x-request-id'), request.headers.get('accept'), request.body]).toEqual([
      null,
      '*/*',
      null,
    ]);
  });

  it('tells the id that the gateway has given it', async () => {
    const answer = await httpApi((_, { requestId }) => new Response(requestId))(httpApiEvent());

    expect(answer.body).toBe('JKJaXmPLvHcESHA=');
  });
});

describe('an answer through API Gateway', () => {
  it('is its status, headers and text', async () => {
    const handler = httpApi(() =>
      Response.json(
        { detail: 'ü' },
        { status: 404, headers: { 'content-type': 'application/problem+json', 'x-request-id': 'r' } },
      ),
    );

    expect(await handler(httpApiEvent())).toEqual({
      statusCode: 404,
      headers: { 'content-type': 'application/problem+json', 'x-request-id': 'r' },
      body: '{"detail":"ü"}',
      isBase64Encoded: false,
    });
  });

  it('may be empty', async () => {
    expect(await httpApi(() => new Response(undefined, { status: 204 }))(httpApiEvent())).toMatchObject({
      statusCode: 204,
      body: '',
    });
  });
});
