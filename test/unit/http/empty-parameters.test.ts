import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import inventoryDocument from '../../../docs/inventory-openapi.json' with { type: 'json' };
import providerDocument from '../../../docs/openapi.json' with { type: 'json' };
import { operations as inventoryOperations } from '../../../functions/inventory-api/operations.ts';
import { operations as providerOperations } from '../../../functions/provider-api/operations/registry.ts';
import { InvalidArgumentError } from '../../../shared/core/errors.ts';
import type { Call, Operation } from '../../../shared/http/operation.ts';

const Paths = z.record(
  z.string(),
  z.record(
    z.string(),
    z.union([
      z.object({
        operationId: z.string(),
        parameters: z.array(z.object({ name: z.string(), in: z.string() })).default([]),
      }),
      z.array(z.unknown()), // the servers of a path
    ]),
  ),
);

/** Every query parameter of an OpenAPI document, with its operation. */
const parametersIn = (paths: unknown): readonly (readonly [operationId: string, name: string])[] =>
  Object.values(Paths.parse(paths))
    .flatMap((methods) => Object.values(methods))
    .flatMap((one) => ('operationId' in one ? [one] : []))
    .flatMap(({ operationId, parameters }) =>
      parameters.flatMap((one) => (one.in === 'query' ? [[operationId, one.name] as const] : [])),
    );

const call = (name: string): Call<URLSearchParams> => ({
  ...{ target: { region: 'us-east-1' }, base: '', resourceId: '', ids: {}, requestId: 'r' },
  ...{ url: new URL(`https://api/?${name}=`), query: new URLSearchParams(`${name}=`) },
  ...{ permits: () => true, header: () => undefined, body: async () => ({}), logResource: () => undefined },
});

/** Why the request is refused before an operation calls anything. */
const refusalIn = async <UseCases>(operations: readonly Operation<UseCases>[], id: string, name: string) => {
  const operation = operations.find(({ operationId }) => operationId === id);
  const calls = new Proxy(Object.create(null), {
    get: (_, called) => {
      if (called === 'console') return {};
      throw new Error('the operation has begun');
    },
  });
  return (async () => operation?.run(calls, call(name)))().then(
    () => undefined,
    (error: unknown) => (error instanceof InvalidArgumentError ? error.message : undefined),
  );
};

describe.each([
  {
    api: 'provider-api',
    parameters: parametersIn(providerDocument.paths),
    refusal: (id: string, name: string) => refusalIn(providerOperations, id, name),
    absent: /^(create\w+ id|list\w+ (max_page_size|page_token))$/,
  },
  {
    api: 'inventory-api',
    parameters: parametersIn(inventoryDocument.paths),
    refusal: (id: string, name: string) => refusalIn(inventoryOperations, id, name),
    absent: /^$/,
  },
])('an empty query parameter of the $api', ({ parameters, refusal, absent }) => {
  it('is refused by its name, or is as if absent where DCM’s clients send it so', async () => {
    const refusals = await Promise.all(parameters.map(([id, name]) => refusal(id, name)));
    const expected = parameters.map(([id, name]) =>
      absent.test(`${id} ${name}`) ? undefined : `${name}: expected a value, got nothing`,
    );

    expect(parameters.length).toBeGreaterThan(5);
    expect(refusals).toEqual(expected);
  });
});
