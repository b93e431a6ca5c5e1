import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { operations } from '../../../../functions/provider-api/operations/registry.ts';
import { problemKinds } from '../../../../shared/http/problem.ts';
import { VmResource } from '../../../../shared/service-types/vm/resource.ts';
import { specOf } from '../../../../shared/service-types/vm/spec.ts';
import { documentedTypes, exampleProblem, exampleSpec, exampleVm } from '../../../../tools/api-examples.ts';
import { apiDocuments, openApiDocument } from '../../../../tools/openapi.ts';
import { servedApi } from './served-api.ts';

const committed = (name: string) =>
  readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8');

describe('the OpenAPI document', () => {
  it.each(Object.entries(apiDocuments()))(
    'docs/%s is generated from the schemas; otherwise run npx tsx tools/openapi.ts (C 74)',
    (name, text) => {
      expect(committed(name)).toBe(text);
    },
  );

  it('is public, in every region', async () => {
    for (const path of ['/api/v1alpha1/openapi.json', '/eu-west-1/api/v1alpha1/openapi.json']) {
      const response = await servedApi().ask('GET', path, { headers: { authorization: '' } });

      expect([response.status, await response.json()]).toEqual([200, JSON.parse(committed('openapi.json'))]);
    }
  });

  it('describes every operation, each with its own id', () => {
    const told = Object.entries(openApiDocument().paths ?? {}).flatMap(([path, methods]) =>
      Object.keys(methods ?? {}).map((method) => `${method.toUpperCase()} ${path}`),
    );

    expect(told.sort()).toEqual(operations.map(({ method, path }) => `${method} ${path}`).sort());
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  });

  it('describes the answers that are not JSON', () => {
    const mediaOf = (path: string) =>
      Object.keys(
        z
          .object({ content: z.record(z.string(), z.unknown()) })
          .parse(openApiDocument().paths?.[path]?.get?.responses?.['200']).content,
      );

    expect(mediaOf('/api/v1alpha1/usage')).toEqual(['application/json', 'text/csv']);
    expect(mediaOf('/api/v1alpha1/changes')).toEqual(['application/json', 'text/event-stream']);
    expect(mediaOf('/console')).toEqual(['text/html']);
  });

  it('describes every problem', () => {
    for (const code of Object.keys(problemKinds))
      expect(committed('api.md')).toMatch(new RegExp(`^\\| \`${code}\` \\| \\d{3} \\| \\w.+ \\|`, 'm'));
  });

  it('describes every field', () => {
    const fields = committed('api.md')
      .split('\n')
      .filter((line) => /^\| `[\w.[\]]+` \| .* \| .* \|$/.test(line));
    const unsaid = fields.filter((line) => line.endsWith('|  |') && !line.includes(']('));

    expect(fields.length).toBeGreaterThan(60);
    expect(unsaid).toEqual([]);
  });
});

describe('the schema', () => {
  it('of VmSpec requires at least one known field, as requests do', () => {
    const fields = z
      .object({ anyOf: z.array(z.object({ required: z.tuple([z.string()]) })) })
      .parse(openApiDocument().components?.schemas?.VmSpec)
      .anyOf.map(({ required: [field] }) => field);

    expect(fields).toContain('service_type');
    expect(fields).toContain('provider_hints');
    expect(() => specOf({ spec: {} })).toThrow('expected a VM spec');
    for (const field of fields) expect(Object.keys(exampleSpec)).toContain(field);
    for (const [field, value] of Object.entries(exampleSpec))
      expect(() => specOf({ spec: { [field]: value } })).not.toThrow();
  });
});

describe('an example', () => {
  it('of a spec is read in full', () => {
    expect(specOf({ spec: exampleSpec })).toEqual({
      vcpus: 2,
      memoryMib: 4096,
      disks: [
        { name: 'boot', gib: 20 },
        { name: 'data', gib: 100 },
      ],
      guestOs: 'ubuntu-24.04',
      sshPublicKey: expect.stringMatching(/^ssh-ed25519 /),
      name: 'web-1',
      labels: { team: 'shop' },
      hints: { availability_zone: 'us-east-1a' },
    });
  });

  it('of a VM matches its schema', () => {
    expect(VmResource.parse(exampleVm)).toEqual(exampleVm);
  });

  it.each(documentedTypes)(
    'of the collection $collection matches its schema',
    ({ resource, exampleResource }) => {
      expect(resource.parse(exampleResource)).toEqual(exampleResource);
    },
  );

  it('of a problem is the answer to the request that it is documented for', async () => {
    const body = { spec: { memory: { size: '4GiB' } } };

    const response = await servedApi().ask('POST', '/api/v1alpha1/vms?id=vm-1', { body });

    expect(await response.json()).toEqual(exampleProblem);
  });
});

const exampleOf = (path: string): unknown =>
  documentedTypes.find(({ collection }) => path.startsWith(`/api/v1alpha1/${collection}`))?.exampleSpec;

describe('every answer', () => {
  it.each(operations)('of $operationId matches its schema', async ({ method, path, answer, status }) => {
    const asked = { body: method === 'POST' ? { spec: exampleOf(path) } : undefined };

    const response = await servedApi().ask(method, `${path.replace(/\{\w+_id\}/, 'id-1')}?id=id-1`, asked);
    const text = await response.text();

    expect(response.status).toBe(status);
    expect(answer === undefined ? text : answer.parse(JSON.parse(text))).toEqual(
      answer === undefined ? '' : JSON.parse(text),
    );
  });
});
