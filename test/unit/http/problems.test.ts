import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import * as errors from '../../../shared/core/errors.ts';
import { Problem, problemKinds } from '../../../shared/http/problem.ts';
import { requestId, servedApi } from '../provider-api/http/served-api.ts';

/** What the API answers where a use case throws this. */
const answerTo = async (error: unknown) => {
  const get = async () => Promise.reject(error);
  const api = servedApi({ useCases: { vm: { read: { get, list: get, events: get } } } });
  const response = await api.ask('GET', '/api/v1alpha1/vms/vm-1');
  const body: unknown = await response.json();
  return { api, response, body };
};

/** @see https://www.rfc-editor.org/rfc/rfc3986#appendix-A path-absolute, fragment */
const uriReference = /^\/(?:[\w.~!$&'()*+,;=:@/-]|%[0-9a-f]{2})*#(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9a-f]{2})*$/i;

describe('a problem', () => {
  const instanceAt = async (path: string): Promise<unknown> =>
    Object(await (await servedApi().ask('GET', path)).json()).instance;

  it('has an instance that is a URI reference, whatever the path is', async () => {
    const parts = fc.constantFrom(
      'a',
      '/',
      '%',
      '%2',
      '%zz',
      '[',
      ']',
      '|',
      '^',
      '`',
      '"',
      'ü',
      '\u{1f600}',
      '%41',
      ':',
      '{',
    );

    await fc.assert(
      fc.asyncProperty(fc.array(parts, { maxLength: 300 }), async (path) => {
        expect(await instanceAt(`/none/${path.join('')}`)).toMatch(uriReference);
      }),
    );
  });

  it('has an instance that is cut at a whole percent escape', async () => {
    for (const before of [0, 1, 2]) {
      const instance = await instanceAt(`/${'a'.repeat(before)}${'%C3%BC'.repeat(60)}`);

      expect(instance).toMatch(uriReference);
      expect(String(instance).length).toBeLessThanOrEqual(200 + 1 + requestId.length);
    }
  });
});

describe('a ProviderError', () => {
  it.each([
    [errors.InvalidArgumentError, 400, 'invalid-argument', 'Invalid argument', null],
    [errors.UnauthenticatedError, 401, 'unauthenticated', 'Not authenticated', null],
    [errors.PermissionDeniedError, 403, 'permission-denied', 'Permission denied', null],
    [errors.NotFoundError, 404, 'not-found', 'Not found', null],
    [errors.FailedPreconditionError, 409, 'failed-precondition', 'Failed precondition', null],
    [errors.UnprocessableError, 422, 'unprocessable', 'Unprocessable', null],
    [errors.ResourceExhaustedError, 429, 'resource-exhausted', 'Resource exhausted', '5'],
    [errors.ThrottledError, 429, 'resource-exhausted', 'Resource exhausted', '5'],
    [errors.UnsendableError, 500, 'internal', 'Internal error', null],
    [errors.UpstreamError, 502, 'upstream', 'Upstream error', null],
    [errors.CapacityError, 503, 'insufficient-capacity', 'Insufficient capacity', '30'],
    [errors.UnavailableError, 503, 'unavailable', 'Unavailable', '5'],
  ] as const)('%o is answered with %i and its message (C 24)', async (kind, status, code, title, after) => {
    const error = new kind('t3.medium: expected something else');

    const { response, body } = await answerTo(error);

    expect(body).toEqual({
      type: `https://dcm-project.github.io/problems/${code}`,
      title,
      status,
      detail: 't3.medium: expected something else',
      instance: `/api/v1alpha1/vms/vm-1#${requestId}`,
      retryable: error.retryable,
    });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/problem+json',
      'x-request-id': requestId,
    });
    expect([response.status, response.headers.get('retry-after')]).toEqual([status, after]);
    expect(problemKinds[code].retryable).toBe(error.retryable);
  });
});

describe('an unexpected error', () => {
  it.each([
    ['a mistake of ours', new TypeError('cannot read properties of secret 10.0.0.7')],
    ['a schema’s refusal', z.safeParse(z.string(), { secret: '10.0.0.7' }).error],
    ['a setting', new errors.SettingsError('the secret 10.0.0.7 must be JSON')],
    ['an item that makes no sense', new errors.UnreadableError('item 10.0.0.7')],
    ['no error at all', 'secret 10.0.0.7'],
  ])('%s is answered with 500 and logged under the id of the request (C 14)', async (_, error) => {
    const thrown = error instanceof Error ? error : new Error(String(error));

    const { api, response, body } = await answerTo(thrown);

    expect([response.status, body]).toMatchObject([500, { title: 'Internal error', retryable: false }]);
    expect(JSON.stringify(body)).not.toMatch(/secret|10\.0\.0\.7|expected/);
    expect(api.lines).toContainEqual({
      level: 'error',
      message: 'a request failed',
      fields: { error: thrown },
    });
    expect(api.correlated).toMatchObject({ requestId });
  });
});

describe('a permission that is missing', () => {
  it('is logged with its cause, although the answer is a 403', async () => {
    const error = new errors.PermissionDeniedError('EC2 does not permit this provider to run an instance');

    const { api, response } = await answerTo(error);

    expect(response.status).toBe(403);
    expect(api.lines).toContainEqual({ level: 'error', message: 'a request failed', fields: { error } });
  });

  it.each([errors.NotFoundError, errors.InvalidArgumentError, errors.FailedPreconditionError])(
    'is the only 4xx that is logged as an error, not %o',
    async (kind) => {
      const { api } = await answerTo(new kind('expected something else'));

      expect(api.lines.filter(({ level }) => level === 'error')).toEqual([]);
    },
  );
});

describe('every answer that is not successful', () => {
  it.each([
    ['GET', '/nowhere', {}],
    ['PUT', '/api/v1alpha1/vms', {}],
    ['GET', '/api/v1alpha1/vms?max_page_size=0', {}],
    ['GET', '/api/v1alpha1/vms', { authorization: 'Bearer wrong' }],
    ['POST', '/api/v1alpha1/vms?id=vm-1', {}],
    ['POST', '/api/v1alpha1/vms?id=vm-1', { 'content-type': 'text/plain' }],
    ['GET', '/api/v1alpha1/vms/UPPER', {}],
  ])('is a problem of the same form: %s %s %j (C 35, C 36)', async (method, path, headers) => {
    const response = await servedApi().ask(method, path, { headers });

    const problem = Problem.parse(await response.json());

    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.headers.get('x-request-id')).toBe(requestId);
    expect(problem.status).toBe(response.status);
    expect(problem.instance).toBe(`${path.split('?')[0]}#${requestId}`);
  });

  it('repeats at most a line of the path', async () => {
    const response = await servedApi().ask('GET', `/${'x'.repeat(5_000)}`);

    expect(Problem.parse(await response.json()).instance.length).toBeLessThan(300);
  });
});
