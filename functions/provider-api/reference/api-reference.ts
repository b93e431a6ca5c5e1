import * as z from 'zod/mini';
import { problemSection } from './api-reference-problems.ts';
import { Schema, schemaSection, typeOf } from './api-reference-schemas.ts';
import { table } from './markdown-table.ts';

const Content = z.optional(
  z.record(z.string(), z.object({ schema: Schema, example: z.optional(z.unknown()) })),
);
const Operation = z.object({
  operationId: z.string(),
  summary: z.string(),
  description: z.string(),
  security: z.optional(z.array(z.unknown())),
  parameters: z._default(
    z.array(
      z.object({
        in: z.string(),
        name: z.string(),
        required: z.optional(z.boolean()),
        description: z.optional(z.string()),
        schema: Schema,
      }),
    ),
    [],
  ),
  requestBody: z.optional(z.object({ content: Content })),
  responses: z.record(z.string(), z.object({ description: z.string(), content: Content })),
});
type Operation = z.infer<typeof Operation>;

const Document = z.object({
  info: z.object({ description: z.string() }),
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.object({
    schemas: z.record(z.string(), Schema),
    securitySchemes: z.record(z.string(), z.object({ scheme: z.string(), description: z.string() })),
  }),
});
type Document = z.infer<typeof Document>;

const heading = `# API

Made from the schemas by \`npx tsx functions/provider-api/reference/openapi.ts\`, as is [openapi.json](openapi.json), which the provider serves at
\`/api/v1alpha1/openapi.json\`. The curl lines want the provider's address in \`$PROVIDER\` and its token in \`$TOKEN\`.

`;

/** The API's OpenAPI document as Markdown, for people. */
export const apiReference = (document: unknown): string => {
  const { info, paths, components } = Document.parse(document);
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) =>
      operationSection(method.toUpperCase(), path, operation),
    ),
  );
  const schemas = Object.entries(components.schemas).map(([name, schema]) => schemaSection(name, schema));
  return [
    `${heading}${info.description}`,
    credentialsSection(components),
    ...operations,
    problemSection(),
    '## Schemas',
    ...schemas,
    '',
  ].join('\n\n');
};

const credentialsSection = ({ securitySchemes }: Document['components']): string =>
  [
    '## Credentials',
    'All but what is marked public wants one of these in `Authorization`; without any it is answered with 401, whose `WWW-Authenticate` says so.',
    table(
      ['`Authorization`', 'what it is'],
      Object.entries(securitySchemes).map(([name, { scheme, description }]) => [
        `\`${scheme === 'basic' ? 'Basic base64(user:token)' : `Bearer ${name === 'jwt' ? 'JWT' : 'token'}`}\``,
        description,
      ]),
    ),
    'Each of them permits every operation on every VM of the provider, in all regions; there are no lesser ones. Whoever has it can create VMs within the limits of the settings (number, families, sizes, subnets, security groups, owners of images, instance profiles), read all VMs with their addresses and history, and start, stop, reboot and delete them. It reaches no instance without the provider’s tags, no other part of AWS, and no secret. [SECURITY.md](../SECURITY.md) has the whole picture.',
  ].join('\n\n');

const operationSection = (method: string, path: string, operation: Operation): string =>
  [
    `## ${operation.summary}`,
    `\`${method} ${path}\` (\`${operation.operationId}\`)${operation.security?.length === 0 ? ', public' : ''}`,
    operation.description,
    ...parametersTable(operation),
    ...bodyLine(operation),
    answersTable(operation),
    `\`\`\`sh\n${curlLine(method, path, operation)}\n\`\`\``,
    ...answerExample(operation),
  ].join('\n\n');

const parametersTable = ({ parameters }: Operation): string[] =>
  parameters.length === 0
    ? []
    : [
        table(
          ['parameter', 'in', 'what it is'],
          parameters.map(({ name, in: where, schema, required, description = schema.description ?? '' }) => [
            `\`${name}\``,
            where,
            `${typeOf(schema)}${required ? ', required' : ''}. ${description}`,
          ]),
        ),
      ];

const bodyLine = ({ requestBody }: Operation): string[] =>
  Object.values(requestBody?.content ?? {}).map(
    () => 'Body, in JSON: `{"spec": …}`, where `spec` is a [VmSpec](#vmspec).',
  );

const answersTable = ({ responses }: Operation): string =>
  table(
    ['status', 'answer', 'when'],
    Object.entries(responses).map(([status, { description, content = {} }]) => [
      status,
      Object.values(content)
        .map(({ schema }) => typeOf(schema))
        .join(', ') || 'nothing',
      description,
    ]),
  );

const curlLine = (method: string, path: string, { security, requestBody, parameters }: Operation): string => {
  const query = parameters.some(({ name }) => name === 'id') ? '?id=vm-1' : '';
  return [
    'curl',
    ...(method === 'GET' ? [] : [`-X ${method}`]),
    `"$PROVIDER${path.replace('{vm_id}', 'vm-1')}${query}"`,
    ...(security?.length === 0 ? [] : ['-H "Authorization: Bearer $TOKEN"']),
    ...Object.values(requestBody?.content ?? {}).flatMap(({ example }) => [
      "-H 'Content-Type: application/json'",
      `-d '${indented(example)}'`,
    ]),
  ].join(' ');
};

/** Of a create only: the others answer the same. */
const answerExample = ({ responses }: Operation): string[] =>
  Object.values(responses['201']?.content ?? {}).map(
    ({ example }) => `Once it runs, the same request answers:\n\n\`\`\`json\n${indented(example)}\n\`\`\``,
  );

const indented = (example: unknown): string => JSON.stringify(example, undefined, 2);
