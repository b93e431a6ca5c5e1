import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as z from 'zod/mini';
import { createDocument, type ZodOpenApiOverride, type ZodOpenApiPathsObject } from 'zod-openapi';
import { operations } from '../functions/provider-api/operations/registry.ts';
import { nameOf, type ServiceType } from '../shared/core/kind.ts';
import type { Operation } from '../shared/http/operation.ts';
import { Problem, type ProblemCode, problemKinds } from '../shared/http/problem.ts';
import { capitalised } from '../shared/service-types/answers.ts';
import { type DocumentedType, documentedTypes } from './api-examples.ts';
import { apiReference } from './api-reference.ts';

export type OpenApiDocument = ReturnType<typeof createDocument>;

const description = `A DCM Service Provider for Amazon EC2, ECS and EKS. DCM's environment agent creates and deletes VMs, containers and
clusters through this API and polls its health; so does the control plane of an older DCM without agents. Statuses are published on NATS.
The paths of a service type that is not deployed are answered with 404.

Every path exists as shown for the home region, with the prefix \`/{region}\` for each other region, and with the prefix
\`/{alias}/{region}\` for each region of another AWS account, whose alias the operator configures. The path alone says in which account
and region a request acts. An unknown alias, and a region that the account does not have, are answered with 404. Errors are problem details
(RFC 9457). Every answer has the id of its request in \`x-request-id\`: the caller's, if the request had an acceptable one.`;

/** The spec of a service type as one of its resources has it: with the hints for this provider. */
const specOf = ({ serviceType, spec, hints }: DocumentedType) =>
  z
    .looseObject({
      ...spec.shape,
      provider_hints: z.optional(
        z
          .looseObject({
            aws: z.optional(
              z
                .partial(hints)
                .check(
                  z.describe(
                    'The hints for this provider. Other keys are refused, and so are these keys in any other place.',
                  ),
                ),
            ),
          })
          .check(z.describe('Hints that only one provider understands, by provider.')),
      ),
    })
    .check(
      z.meta({
        id: specName(serviceType),
        description: `The spec of a ${nameOf(serviceType)}, with at least one of these fields. Unknown keys and the hints of other providers are ignored. Hints can be written in camel case, too.`,
        anyOf: [...Object.keys(spec.shape), 'provider_hints'].map((field) => ({ required: [field] })),
      }),
    );

const specName = (serviceType: ServiceType): string => `${capitalised(serviceType)}Spec`;

/** The API as an OpenAPI document, generated from the schemas that requests are parsed with. */
export const openApiDocument = (): OpenApiDocument => {
  const document = createDocument(
    {
      openapi: '3.1.0',
      info: { title: 'DCM Service Provider for Amazon EC2', version: 'v1alpha1', description },
      servers,
      security: Object.keys(securitySchemes).map((scheme) => ({ [scheme]: [] })),
      paths: pathsOf(operations),
      components: {
        schemas: Object.fromEntries(
          documentedTypes.map((type) => [specName(type.serviceType), specOf(type)]),
        ),
        securitySchemes,
      },
    },
    { override: plain },
  );
  for (const type of documentedTypes) markResource(document, type);
  return document;
};

const servers = [
  { url: '/', description: 'The home region' },
  {
    url: '/{region}',
    description: 'Another region',
    variables: { region: { default: 'us-east-1', description: 'AWS region' } },
  },
  {
    url: '/{alias}/{region}',
    description: 'A region of another account',
    variables: {
      alias: { default: 'prod', description: 'Alias of the AWS account in the settings' },
      region: { default: 'us-east-1', description: 'AWS region' },
    },
  },
];

const securitySchemes = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description:
      'The API’s token: the value of the secret that the operator names in `api.tokenSecret`; below `/{alias}/{region}`, in `accounts.<alias>.api.tokenSecret`. The token of one account is answered with 403 below the paths of another one.',
  },
  basic: {
    type: 'http',
    scheme: 'basic',
    description:
      'Any user name, with the API’s token as password. An environment agent sends the credentials of the registered endpoint’s URL this way.',
  },
  jwt: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'A JWT of the issuer, and for the audience, that the operator configures in `api.jwt`, or for an account in `accounts.<alias>.api.jwt`. It opens all targets of the account; where its claim `scope` has entries that begin with `target:`, only these: `target:us-east-1`, `target:prod/us-east-1`, `target:prod/*` or `target:*`. Only the issuer of `api.jwt` can name targets of other accounts.',
  },
} as const;

/** Removes keywords that only the schema library adds. */
export const plain: ZodOpenApiOverride = ({ jsonSchema }) => {
  delete jsonSchema.additionalProperties;
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
};

const ResourceSchema = z.looseObject({ properties: z.record(z.string(), z.looseObject({})) });

/** Marks a resource as one of AEP: answered fields are read only, and `spec`, which is only sent, is write only. */
const markResource = ({ components }: OpenApiDocument, { serviceType, collection }: DocumentedType): void => {
  const resource = components?.schemas?.[capitalised(serviceType)];
  const answered = Object.entries(ResourceSchema.parse(resource).properties).map(([name, property]) => [
    name,
    '$ref' in property ? property : { ...property, readOnly: true },
  ]);
  const spec = { $ref: `#/components/schemas/${specName(serviceType)}`, writeOnly: true };
  const patterns = [`${collection}/{${serviceType}_id}`];
  const type = `ec2-sp.dcm.io/${serviceType}`;
  Object.assign(resource ?? {}, {
    properties: { ...Object.fromEntries(answered), spec },
    'x-aep-resource': { singular: serviceType, plural: collection, type, patterns },
  });
};

/** The paths of an API; those of no target are at `/` alone. */
export const pathsOf = (all: readonly Operation<never>[]): ZodOpenApiPathsObject => {
  const paths: ZodOpenApiPathsObject = {};
  for (const operation of all)
    paths[operation.path || '/'] = {
      ...paths[operation.path || '/'],
      [operation.method.toLowerCase()]: operationObject(operation),
    };
  return paths;
};

const json = (schema: z.ZodMiniType, example?: unknown) => ({
  content: { 'application/json': { schema, ...(example !== undefined && { example }) } },
});

const operationObject = (operation: Operation<never>) => ({
  operationId: operation.operationId,
  summary: operation.summary,
  description: [
    operation.description || `${operation.summary}.`,
    ...(operation.scope === undefined ? [] : [`Scope: \`${operation.scope}\`.`]),
  ].join(' '),
  ...(operation.isPublic && { security: [] }),
  ...(operation.isOfNoTarget && { servers: [{ url: '/' }] }),
  requestParams: {
    query: operation.query,
    ...pathParameters(operation),
    ...(operation.headers && { header: z.object(headersOf(operation.headers)) }),
  },
  ...(operation.takes && {
    requestBody: {
      required: true,
      ...json(operation.takes, { spec: documented(operation.takes)?.exampleSpec }),
    },
  }),
  responses: {
    [operation.status]: {
      description: operation.answered,
      ...((operation.answer ?? operation.alsoAnsweredAs) && { content: contentOf(operation) }),
    },
    ...Object.fromEntries(
      Object.entries(operation.othersAnswered ?? {}).map(([status, description]) => [
        status,
        { description },
      ]),
    ),
    ...problemsOf(operation),
  },
});

const contentOf = ({ answer, alsoAnsweredAs = [] }: Operation<never>) => ({
  ...(answer && json(answer, documented(answer)?.exampleResource).content),
  ...Object.fromEntries(alsoAnsweredAs.map((type) => [type, { schema: z.string() }])),
});

/** Of the service type whose resources have this schema. */
const documented = (schema: z.ZodMiniType): DocumentedType | undefined =>
  documentedTypes.find(({ resource }) => resource === schema);

const pathParameters = ({ path, ids }: Operation<never>) => {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => [name, ids.id] as const);
  return names.length === 0 ? {} : { path: z.object(Object.fromEntries(names)) };
};

const headersOf = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(headers).map(([name, about]) => [name, z.optional(z.string().check(z.describe(about)))]),
  );

const problemsOf = (operation: Operation<never>) => {
  const codes: ProblemCode[] = [
    ...(takesAnything(operation) ? (['invalid-argument'] as const) : []),
    ...(operation.isPublic ? [] : (['unauthenticated', 'permission-denied', 'unavailable'] as const)),
    ...operation.problems,
    'internal',
  ];
  const statuses = new Set(codes.map((code) => problemKinds[code].status));
  return Object.fromEntries(
    [...statuses].map((status) => [
      status,
      {
        description: codes
          .filter((code, at) => problemKinds[code].status === status && codes.indexOf(code) === at)
          .map((code) => problemKinds[code].title)
          .join(', or '),
        content: { 'application/problem+json': { schema: Problem } },
      },
    ]),
  );
};

const takesAnything = ({ path, query, takes }: Operation<never>): boolean =>
  takes !== undefined || path.includes('{') || Object.keys(query.shape).length > 0;

const write = async (name: string, text: string): Promise<void> =>
  writeFile(fileURLToPath(new URL(`../docs/${name}`, import.meta.url)), text);

/** docs/openapi.json and docs/api.md. A test compares them with the committed files. */
export const apiDocuments = (): Readonly<Record<'openapi.json' | 'api.md', string>> => {
  const document = openApiDocument();
  return {
    'openapi.json': `${JSON.stringify(document, undefined, 2)}\n`,
    'api.md': apiReference(document),
  };
};

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const [name, text] of Object.entries(apiDocuments())) await write(name, text);
