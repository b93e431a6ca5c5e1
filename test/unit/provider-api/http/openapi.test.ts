import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { operations } from '../../../../functions/provider-api/http/operations/registry.ts';
import { apiDocuments, openApiDocument } from '../../../../functions/provider-api/openapi.ts';
import { problemKinds } from '../../../../shared/wire/problem.ts';
import { servedApi } from './served-api.ts';

const committed = (name: string) =>
  readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8');

describe('the description of the API', () => {
  it.each(Object.entries(apiDocuments()))(
    'docs/%s is what the schemas make of it; else: npx tsx functions/provider-api/openapi.ts (C 74)',
    (name, text) => {
      expect(committed(name)).toBe(text);
    },
  );

  it('is served to anybody, in every region', async () => {
    for (const path of ['/api/v1alpha1/openapi.json', '/eu-west-1/api/v1alpha1/openapi.json']) {
      const response = await servedApi().ask('GET', path, { headers: { authorization: '' } });

      expect([response.status, await response.json()]).toEqual([200, JSON.parse(committed('openapi.json'))]);
    }
  });

  it('tells of every operation, and of each under a name of its own', () => {
    const told = Object.entries(openApiDocument().paths ?? {}).flatMap(([path, methods]) =>
      Object.keys(methods ?? {}).map((method) => `${method.toUpperCase()} ${path}`),
    );

    expect(told.sort()).toEqual(operations.map(({ method, path }) => `${method} ${path}`).sort());
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  });

  it('says of every problem what to make of it', () => {
    for (const code of Object.keys(problemKinds)) expect(committed('api.md')).toContain(`| \`${code}\` |`);
  });
});

describe('every answer', () => {
  it.each(operations)('of $operationId is as its schema has it', async ({ method, path, answer, status }) => {
    const asked = { body: method === 'POST' ? { spec: { vcpu: { count: 2 } } } : undefined };

    const response = await servedApi().ask(method, `${path.replace('{vm_id}', 'vm-1')}?id=vm-1`, asked);
    const text = await response.text();

    expect(response.status).toBe(status);
    expect(answer === undefined ? text : answer.parse(JSON.parse(text))).toEqual(
      answer === undefined ? '' : JSON.parse(text),
    );
  });
});
