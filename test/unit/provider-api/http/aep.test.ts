import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';

const document = JSON.stringify(
  JSON.parse(readFileSync(new URL('../../../../docs/openapi.json', import.meta.url), 'utf8')),
);

const Content = z.record(z.string(), z.object({ schema: z.looseObject({}) }));
const Parameter = z.object({
  name: z.string(),
  in: z.string(),
  required: z.boolean().optional(),
  schema: z.looseObject({ type: z.string(), pattern: z.string().optional() }),
});
const Operation = z.object({
  operationId: z.string(),
  parameters: z.array(Parameter).default([]),
  requestBody: z.object({ content: Content }).optional(),
  responses: z.record(z.string(), z.object({ content: Content.optional() })),
});
const Property = z.looseObject({ type: z.string().optional(), format: z.string().optional() });
const Properties = z.record(z.string(), Property);
const Schema = z.looseObject({
  properties: Properties.default({}),
  required: z.array(z.string()).default([]),
  'x-aep-resource': z.object({ plural: z.string() }).optional(),
});
const Api = z.object({
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.object({ schemas: z.record(z.string(), Schema) }),
});

type Operation = z.infer<typeof Operation>;
type Property = z.infer<typeof Property>;

/** What the rules are about, from the text of an OpenAPI document. */
const read = (text: string) => {
  const parsed: unknown = JSON.parse(text);
  const { paths, components } = Api.parse(parsed);
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
  );
  const only = (method: string, ofPath: RegExp): Operation => {
    const found = all.filter(
      (one) => one.method === method && ofPath.test(one.path) && !one.path.endsWith('/health'),
    );
    expect(found).toHaveLength(1);
    return Operation.parse(found[0]);
  };
  const collections = Object.entries(components.schemas).flatMap(([name, { 'x-aep-resource': resource }]) => {
    if (resource === undefined) return [];
    const collection = new RegExp(`^[^:]*/${resource.plural}$`);
    const one = new RegExp(`^[^:]*/${resource.plural}/[^/:]*$`);
    return [
      {
        ...{ name, page: components.schemas[`${name}Page`] },
        ...{ list: only('get', collection), create: only('post', collection) },
        ...{ get: only('get', one), remove: only('delete', one) },
      },
    ];
  });
  return {
    paths: Object.keys(paths),
    operations: all,
    custom: all.filter(({ path }) => path.includes(':')),
    collections,
    schemas: components.schemas,
    resources: Object.values(components.schemas).filter((schema) => schema['x-aep-resource'] !== undefined),
    properties: propertiesIn(parsed),
  };
};
type Api = ReturnType<typeof read>;

/** These are the change feed's and the console's, whose fields are named as those of the inventory's API and of NATS. */
const inCamelCase = /^(Changes|Overview\w*)$/;

/** The properties of all other schemas, nested and inline ones too. */
const propertiesIn = (node: unknown): readonly (readonly [name: string, schema: Property])[] => {
  if (typeof node !== 'object' || node === null) return [];
  const others = Object.entries(node).filter(([key]) => !inCamelCase.test(key));
  return others.flatMap(([key, value]) => [
    ...(key === 'properties' ? Object.entries(Properties.parse(value)) : []),
    ...propertiesIn(value),
  ]);
};

const names = (properties: Api['properties']) => properties.map(([name]) => name);
const queriesOf = ({ parameters }: Operation) => parameters.filter((one) => one.in === 'query');
const answerOf = ({ responses }: Operation, status: string) =>
  responses[status]?.content?.['application/json']?.schema;
const referenceTo = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const query = (name: string, type: string) =>
  expect.objectContaining({ name, in: 'query', schema: expect.objectContaining({ type }) });
const each = <Value>(values: readonly Value[], check: (value: Value) => void): void => {
  expect(values).not.toEqual([]);
  values.forEach(check);
};

const snakeCase = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;
const segment = /\/([a-z][a-z0-9]*(-[a-z0-9]+)*(\.json)?|\{[a-z][a-z0-9_]*\})/;
const path = new RegExp(`^(${segment.source})+(:[a-z]+)?$`);

type Rule = {
  readonly holds: (api: Api) => void;
  /** A change of the document that breaks the rule: what is replaced, and by what. */
  readonly breach: readonly [string | RegExp, string];
};

const rules: Readonly<Record<string, Rule>> = {
  'AEP-122: paths are in kebab case': {
    holds: ({ paths }) => each(paths, (one) => expect(one).toMatch(path)),
    breach: ['"/health"', '"/healthOfAll"'],
  },
  'AEP-122: a resource has a path': {
    holds: ({ resources }) => each(resources, ({ properties }) => expect(properties).toHaveProperty('path')),
    breach: ['"path":{"type":"string","description":"`vms', '"at":{"type":"string","description":"`vms'],
  },
  'AEP-122: the path of a resource is a string': {
    holds: ({ resources }) =>
      each(resources, ({ properties }) => expect(properties.path).toMatchObject({ type: 'string' })),
    breach: ['"path":{"type":"string","description":"`vms', '"path":{"type":"object","description":"`vms'],
  },
  'AEP-122: ids are strings': {
    holds: ({ properties }) =>
      each(
        properties.filter(([name]) => /^id$|_id$/.test(name)),
        ([, schema]) => expect(schema).toMatchObject({ type: 'string' }),
      ),
    breach: ['"instance_id":{"type":"string"', '"instance_id":{"type":"integer"'],
  },
  'AEP-122: ids have at most 63 characters': {
    holds: ({ operations }) =>
      each(
        operations.flatMap(({ parameters }) => parameters).filter((one) => one.in === 'path'),
        ({ schema }) => expect(schema.pattern).toContain('{0,61}'),
      ),
    breach: [/\{0,61\}/g, '{0,99}'],
  },
  'AEP-130: no query parameter is required': {
    holds: ({ operations }) =>
      each(
        operations.flatMap(({ parameters }) => parameters).filter((one) => one.in !== 'path'),
        (one) => expect(one).not.toHaveProperty('required'),
      ),
    breach: ['"name":"page_token"', '"name":"page_token","required":true'],
  },
  'AEP-131: get answers the resource': {
    holds: ({ collections }) =>
      each(collections, ({ name, get }) => expect(answerOf(get, '200')).toEqual(referenceTo(name))),
    breach: [/("operationId":"getVm".*?)#\/components\/schemas\/Vm"/, '$1#/components/schemas/Health"'],
  },
  'AEP-131: get is called get': {
    holds: ({ collections }) =>
      each(collections, ({ get }) => expect(get.operationId).toMatch(/^get[A-Z][a-zA-Z]*$/)),
    breach: ['"operationId":"getVm"', '"operationId":"readVm"'],
  },
  'AEP-131: get has no body': {
    holds: ({ operations }) =>
      each(
        operations.filter(({ method }) => method === 'get'),
        (one) => expect(one).not.toHaveProperty('requestBody'),
      ),
    breach: ['"operationId":"getVm"', '"operationId":"getVm","requestBody":{"content":{}}'],
  },
  'AEP-132: list is called list': {
    holds: ({ collections }) =>
      each(collections, ({ list }) => expect(list.operationId).toMatch(/^list[A-Z][a-zA-Z]*s$/)),
    breach: ['"operationId":"listVms"', '"operationId":"vms"'],
  },
  'AEP-132: list answers a page': {
    holds: ({ collections }) =>
      each(collections, ({ name, list }) =>
        expect(answerOf(list, '200')).toEqual(referenceTo(`${name}Page`)),
      ),
    breach: ['"#/components/schemas/VmPage"', '"#/components/schemas/Vm"'],
  },
  'AEP-132: a page has an array of resources': {
    holds: ({ collections }) =>
      each(collections, ({ name, page }) =>
        expect(page?.properties.results).toMatchObject({ type: 'array', items: referenceTo(name) }),
      ),
    breach: [
      '"results":{"type":"array","items":{"$ref":"#/components/schemas/Vm"',
      '"results":{"type":"object","items":{"$ref":"#/components/schemas/Vm"',
    ],
  },
  'AEP-133: create is called create': {
    holds: ({ collections }) =>
      each(collections, ({ create }) => expect(create.operationId).toMatch(/^create[A-Z][a-zA-Z]*$/)),
    breach: ['"operationId":"createVm"', '"operationId":"addVm"'],
  },
  'AEP-133: create takes an id': {
    holds: ({ collections }) =>
      each(collections, ({ create }) => expect(create.parameters).toContainEqual(query('id', 'string'))),
    breach: ['"name":"id"', '"name":"vm"'],
  },
  'AEP-133: create takes the resource': {
    holds: ({ collections }) =>
      each(collections, ({ name, create }) =>
        expect(create.requestBody?.content['application/json']?.schema).toEqual(referenceTo(name)),
      ),
    breach: [/("requestBody":.*?)#\/components\/schemas\/Vm"/, '$1#/components/schemas/VmSpec"'],
  },
  'AEP-133: create answers the resource': {
    holds: ({ collections }) =>
      each(collections, ({ name, create }) => expect(answerOf(create, '201')).toEqual(referenceTo(name))),
    breach: [/("201":.*?)#\/components\/schemas\/Vm"/, '$1#/components/schemas/Health"'],
  },
  'AEP-135: delete is called delete': {
    holds: ({ collections }) =>
      each(collections, ({ remove }) => expect(remove.operationId).toMatch(/^delete[A-Z][a-zA-Z]*$/)),
    breach: ['"operationId":"deleteVm"', '"operationId":"removeVm"'],
  },
  'AEP-135: delete has no body': {
    holds: ({ operations }) =>
      each(
        operations.filter(({ method }) => method === 'delete'),
        (one) => expect(one).not.toHaveProperty('requestBody'),
      ),
    breach: ['"operationId":"deleteVm"', '"operationId":"deleteVm","requestBody":{"content":{}}'],
  },
  'AEP-135: delete answers 204': {
    holds: ({ collections }) =>
      each(collections, ({ remove }) => expect(remove.responses).toHaveProperty('204')),
    breach: ['"204":', '"200":'],
  },
  'AEP-135: delete answers no content': {
    holds: ({ collections }) =>
      each(collections, ({ remove }) => expect(remove.responses['204']).toEqual({})),
    breach: ['"204":{', '"204":{"content":{},'],
  },
  'AEP-136: custom methods are POST': {
    holds: ({ custom }) => each(custom, ({ method }) => expect(method).toBe('post')),
    breach: [/("[^"]*:stop":\{)"post"/, '$1"put"'],
  },
  'AEP-136: custom methods are called by a colon and a verb': {
    holds: ({ custom }) =>
      each(custom, ({ operationId }) => expect(operationId).toMatch(/^:[A-Z][a-zA-Z]*$/)),
    breach: ['":StopVm"', '"stopVm"'],
  },
  'AEP-140: fields are in snake case': {
    holds: ({ properties }) => each(names(properties), (name) => expect(name).toMatch(snakeCase)),
    breach: ['"create_time":{', '"createTime":{'],
  },
  'AEP-140: query parameters are in snake case': {
    holds: ({ operations }) =>
      each(operations.flatMap(queriesOf), ({ name }) => expect(name).toMatch(snakeCase)),
    breach: ['"name":"page_token"', '"name":"pageToken"'],
  },
  'AEP-140: names of booleans do not begin with is': {
    holds: ({ properties }) => {
      const booleans = properties.filter(([, schema]) => schema.type === 'boolean');
      each(names(booleans), (name) => expect(name).not.toMatch(/^is_/));
    },
    breach: ['"retryable":{', '"is_retryable":{'],
  },
  'AEP-142: names of times end in time': {
    holds: ({ properties }) => {
      const times = properties.filter(([, schema]) => schema.format === 'date-time');
      each(names(times), (name) => expect(name).toMatch(/_time$/));
    },
    breach: ['"update_time":{', '"updated":{'],
  },
  'AEP-158: list takes max_page_size': {
    holds: ({ collections }) =>
      each(collections, ({ list }) =>
        expect(list.parameters).toContainEqual(query('max_page_size', 'integer')),
      ),
    breach: ['"name":"max_page_size"', '"name":"page_size"'],
  },
  'AEP-158: list takes page_token': {
    holds: ({ collections }) =>
      each(collections, ({ list }) => expect(list.parameters).toContainEqual(query('page_token', 'string'))),
    breach: ['"name":"page_token"', '"name":"cursor"'],
  },
  'AEP-158: a page has next_page_token': {
    holds: ({ collections }) =>
      each(collections, ({ page }) =>
        expect(page?.properties.next_page_token).toMatchObject({ type: 'string' }),
      ),
    breach: ['"next_page_token":', '"next":'],
  },
  'AEP-193: errors are problem details': {
    holds: ({ operations }) =>
      each(
        operations
          .flatMap(({ responses }) => Object.entries(responses))
          .filter(([code]) => Number(code) >= 400),
        ([, { content }]) =>
          expect(content).toEqual({ 'application/problem+json': { schema: referenceTo('Problem') } }),
      ),
    breach: ['"application/problem+json"', '"text/plain"'],
  },
  'AEP-193: problem details have all members': {
    holds: ({ schemas }) =>
      expect(schemas.Problem?.required).toEqual(
        expect.arrayContaining(['type', 'title', 'status', 'detail', 'instance']),
      ),
    breach: ['"detail","instance"', '"detail"'],
  },
};

/** @see https://aep.dev */
describe('the API, as its OpenAPI document describes it', () => {
  it.each(Object.entries(rules))('follows %s', (_, { holds }) => {
    holds(read(document));
  });

  it.each(Object.entries(rules))('is found to violate %s', (_, { holds, breach: [from, to] }) => {
    const changed = document.replace(from, to);
    const api = read(changed);

    expect(changed).not.toBe(document);
    expect(() => holds(api)).toThrow();
  });
});
