import { describe, expect, it } from 'vitest';
import { startHttpApi } from '../../../local/emulators/http-api.ts';

type Invoke = Parameters<typeof startHttpApi>[0]['invoke'];

const serving = async (invoke: Invoke, timeoutMs?: number) => {
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const api = await startHttpApi({ invoke, log, ...(timeoutMs !== undefined && { timeoutMs }) });
  return { ...api, lines };
};

describe('HTTP API', () => {
  it('has its function answer every route and method', async () => {
    await using api = await serving(async ({ rawPath, body, requestContext }) => ({
      statusCode: 201,
      headers: { 'content-type': 'text/plain' },
      body: `${requestContext.http.method} ${rawPath} ${body}`,
    }));

    const response = await fetch(`${api.url}/vms/vm-1:stop`, { method: 'POST', body: 'text' });

    expect(response.status).toBe(201);
    expect(await response.text()).toBe('POST /vms/vm-1:stop text');
  });

  it('gives every request an id, which the function and the caller are told', async () => {
    await using api = await serving(async ({ requestContext }) => ({
      statusCode: 200,
      body: requestContext.requestId,
    }));

    const answers = await Promise.all([fetch(api.url), fetch(api.url)]);
    const ids = answers.map(({ headers }) => headers.get('apigw-requestid'));

    expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(ids);
    expect(new Set(ids).size).toBe(2);
  });

  it('tells a caller nothing of why its function failed', async () => {
    await using api = await serving(async () => {
      throw new Error('a secret reason');
    });

    const response = await fetch(api.url);

    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ message: 'Internal Server Error' });
    expect(api.lines).toEqual([expect.stringContaining('a secret reason')]);
  });

  it('answers 503 where its function takes too long', async () => {
    await using api = await serving(() => new Promise(() => {}), 20);

    const response = await fetch(api.url);

    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ message: 'Service Unavailable' });
  });

  it('answers 413 to a body of more than 10 MiB, and asks nobody', async () => {
    const asked: string[] = [];
    await using api = await serving(async ({ rawPath }) => asked.push(rawPath));

    const response = await fetch(api.url, { method: 'POST', body: 'x'.repeat(10 * 2 ** 20 + 1) });

    expect(response.status).toBe(413);
    expect(asked).toEqual([]);
  });

  it('answers 400 to a path that it cannot decode', async () => {
    await using api = await serving(async () => ({ statusCode: 200 }));

    expect((await fetch(`${api.url}/%E0%A4%A`)).status).toBe(400);
  });
});
