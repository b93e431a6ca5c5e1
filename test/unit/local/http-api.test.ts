import { describe, expect, it } from 'vitest';
import { httpApiEvent, httpApiResponse } from '../../../local/emulators/http-api.ts';

const received = (body = '') => ({
  requestId: 'request-1',
  at: new Date('2026-11-21T10:00:00Z'),
  body: Buffer.from(body),
});
const eventOf = (path: string, init: RequestInit = {}, body = '') =>
  httpApiEvent(new Request(`http://127.0.0.1:8080${path}`, init), received(body));

describe('HTTP API, making an event of a request', () => {
  it('tells method, path, query and request id', () => {
    const event = eventOf('/api/v1alpha1/vms?id=vm-1', { method: 'POST' });

    expect(event).toMatchObject({
      version: '2.0',
      rawPath: '/api/v1alpha1/vms',
      rawQueryString: 'id=vm-1',
      queryStringParameters: { id: 'vm-1' },
      requestContext: { requestId: 'request-1', http: { method: 'POST', path: '/api/v1alpha1/vms' } },
    });
  });

  it('decodes the path, and leaves the query as it came', () => {
    const event = eventOf('/vms/a%2Fb%20c?q=a%2Fb');

    expect(event).toMatchObject({ rawPath: '/vms/a/b c', rawQueryString: 'q=a%2Fb' });
  });

  it('cannot decode a broken path', () => {
    expect(() => eventOf('/vms/%E0%A4%A')).toThrow(URIError);
  });

  it('hands over text as text, and everything else in base64', () => {
    const typed = (type: string) => eventOf('/', { method: 'POST', headers: { 'content-type': type } }, 'é');

    expect(typed('application/json')).toMatchObject({ body: 'é', isBase64Encoded: false });
    expect(typed('application/merge-patch+json')).toMatchObject({ body: 'é', isBase64Encoded: false });
    expect(typed('application/octet-stream')).toMatchObject({ body: 'w6k=', isBase64Encoded: true });
  });

  it('has no body where the request has none', () => {
    expect(eventOf('/')).not.toHaveProperty('body');
  });

  it('joins repeated headers, by names in lower case', () => {
    const headers: [string, string][] = [
      ['X-One', 'a'],
      ['x-one', 'b'],
    ];

    expect(eventOf('/', { headers }).headers).toMatchObject({ 'x-one': 'a, b' });
  });
});

describe('HTTP API, making a response of an answer', () => {
  it('takes status, headers, cookies and body', async () => {
    const response = httpApiResponse({
      statusCode: 201,
      headers: { 'content-type': 'text/plain', 'x-number': 1 },
      cookies: ['a=1', 'b=2'],
      body: 'text',
    });

    expect(response.status).toBe(201);
    expect(response.headers.get('x-number')).toBe('1');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(await response.text()).toBe('text');
  });

  it('decodes base64', async () => {
    const response = httpApiResponse({ statusCode: 200, body: 'w6k=', isBase64Encoded: true });

    expect(await response.text()).toBe('é');
  });

  it('has no body where there may be none', () => {
    expect(httpApiResponse({ statusCode: 204, body: '' }).body).toBeNull();
  });

  it('takes what is no such answer for the body of a 200', async () => {
    const response = httpApiResponse({ message: 'hello' });

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ message: 'hello' });
  });
});
