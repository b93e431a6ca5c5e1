import * as z from 'zod/mini';
import { type ProblemCode, problemKinds } from '../shared/http/problem.ts';
import { exampleProblem } from './api-examples.ts';

/** A table in Markdown. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');

/** The fields of a JSON Schema that the page shows. */
export type Schema = {
  readonly $ref?: string | undefined;
  readonly type?: string | undefined;
  readonly description?: string | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly const?: unknown;
  readonly format?: string | undefined;
  readonly items?: Schema | undefined;
  readonly properties?: Readonly<Record<string, Schema>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly writeOnly?: boolean | undefined;
  readonly pattern?: string | undefined;
  readonly default?: unknown;
  readonly example?: unknown;
  readonly examples?: readonly unknown[] | undefined;
};

export const Schema: z.ZodMiniType<Schema> = z.looseObject({
  $ref: z.optional(z.string()),
  type: z.optional(z.string()),
  description: z.optional(z.string()),
  enum: z.optional(z.array(z.unknown())),
  const: z.optional(z.unknown()),
  format: z.optional(z.string()),
  items: z.optional(z.lazy(() => Schema)),
  properties: z.optional(z.lazy(() => z.record(z.string(), Schema))),
  required: z.optional(z.array(z.string())),
  minimum: z.optional(z.number()),
  maximum: z.optional(z.number()),
  writeOnly: z.optional(z.boolean()),
  pattern: z.optional(z.string()),
  default: z.optional(z.unknown()),
  example: z.optional(z.unknown()),
  examples: z.optional(z.array(z.unknown())),
});

/** A schema as a table of its fields, those within them included. */
export const schemaSection = (name: string, schema: Schema): string =>
  [
    `### ${name}`,
    schema.description ?? '',
    schema.properties
      ? table(['field', 'type', 'description'], fieldRows(schema))
      : `One of ${typeOf(schema)}.`,
  ].join('\n\n');

const fieldRows = ({ properties = {}, required = [] }: Schema, above = ''): string[][] =>
  Object.entries(properties).flatMap(([key, schema]) => {
    const inner = schema.properties ? schema : (schema.items ?? {});
    const path = `${above}${key}${schema.items ? '[]' : ''}`;
    const note = [
      ...(required.includes(key) ? [] : ['optional']),
      ...(schema.writeOnly ? ['never answered'] : []),
    ];
    const row = [`\`${path}\``, [typeOf(schema), ...note].join(', '), inWords(schema)];
    return [row, ...fieldRows(inner, `${path}.`)];
  });

const inWords = (schema: Schema): string => {
  const { description, default: defaults, examples: [example] = [] } = schema;
  const pattern = schema.pattern ?? schema.items?.pattern;
  return [
    ...(description === undefined ? [] : [description]),
    ...(defaults === undefined ? [] : [`Default: ${code(defaults)}.`]),
    ...(example === undefined ? [] : [`Example: ${code(example)}.`]),
    ...(pattern === undefined ? [] : [`Pattern: ${code(pattern)}.`]),
  ].join(' ');
};

const code = (value: unknown): string => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;

/** The type of a field in a few words. */
const typeOf = ({
  $ref,
  const: only,
  enum: values,
  items,
  type,
  format,
  minimum,
  maximum,
}: Schema): string => {
  if ($ref !== undefined) return linked(schemaName({ $ref }));
  if (only !== undefined) return `\`${only}\``;
  if (values !== undefined) return values.map((value) => `\`${value}\``).join(', ');
  if (items !== undefined) return `list of ${typeOf(items)}`;
  const range = minimum !== undefined && maximum !== undefined ? ` ${minimum}–${maximum}` : '';
  return `${format ?? type ?? 'anything'}${range}`;
};

const schemaName = ({ $ref = '' }: Schema): string => $ref.slice($ref.lastIndexOf('/') + 1);

const linked = (name: string): string => `[${name}](#${name.toLowerCase()})`;

const meanings = {
  'invalid-argument':
    'The request has invalid fields, or fields that contradict each other, or names something that does not exist. `detail` names each field and what was expected.',
  unauthenticated: 'The request has no credentials, or they are not accepted.',
  'permission-denied':
    'The credentials are not for the path’s target. Or AWS does not allow the provider this action; the operator has to change the permissions. Where the role in the account is refused altogether, it is `unavailable`.',
  'not-found':
    'There is no such resource, or no such path: also that of a service type that is not deployed.',
  gone: 'What was asked for is no longer kept, such as an old cursor or generation; `detail` says how to begin again.',
  'method-not-allowed': 'The path does not have this method. `Allow` lists the methods that it has.',
  'failed-precondition':
    'The state of the resource does not allow this, the resource is adopted, or the id belongs to another request.',
  'payload-too-large': 'The body is larger than 1 MiB.',
  unprocessable:
    'The spec is valid, but exceeds the operator’s limits, or needs something that is not available in the region.',
  'resource-exhausted': 'AWS throttles the provider’s requests, or a quota of the account is exhausted.',
  internal: 'The provider failed. Its log has the reason, under the id of the request.',
  upstream: 'AWS failed, or its answer is unreadable.',
  unavailable:
    'A service that the provider needs does not answer, or another request is changing the same resource.',
  'insufficient-capacity':
    'AWS has no capacity for such an instance or task in any of the places that were tried.',
} satisfies Record<ProblemCode, string>;
const meaning: ReadonlyMap<string, string> = new Map(Object.entries(meanings));

/** A table of every problem. */
const problemSection = (): string =>
  [
    '## Problems',
    'Every error is `application/problem+json` ([Problem](#problem)). Its `type` is `https://dcm-project.github.io/problems/` followed by one of these types.',
    table(
      ['type', 'status', 'meaning', 'a retry can help', '`Retry-After`'],
      Object.entries(problemKinds).map(([code, kind]) => [
        `\`${code}\``,
        String(kind.status),
        meaning.get(code) ?? '',
        kind.retryable ? 'yes' : 'no',
        'retryAfterSeconds' in kind ? `${kind.retryAfterSeconds} s` : '–',
      ]),
    ),
    'For example:',
    `\`\`\`json\n${JSON.stringify(exampleProblem, undefined, 2)}\n\`\`\``,
  ].join('\n\n');

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

Generated from the schemas by \`npx tsx tools/openapi.ts\`, like [openapi.json](openapi.json), which the provider serves at
\`/api/v1alpha1/openapi.json\`. The curl commands expect the provider's URL in \`$PROVIDER\` and its token in \`$TOKEN\`.

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
    'Every operation that is not marked public requires one of these in `Authorization`. A request without is answered with 401.',
    table(
      ['`Authorization`', 'description'],
      Object.entries(securitySchemes).map(([name, { scheme, description }]) => [
        `\`${scheme === 'basic' ? 'Basic base64(user:token)' : `Bearer ${name === 'jwt' ? 'JWT' : 'token'}`}\``,
        description,
      ]),
    ),
    'Each of them allows every operation on every VM, container and cluster of one account, in all its regions; only a JWT can be limited to some targets. Its owner can create them within the limits of the settings (number, families, sizes, subnets, security groups, owners of images, roles), read all of them with their addresses and history, start, stop and reboot VMs, and delete all of them. It gives no access to resources without the provider’s tags, to other AWS services, or to secrets. See [SECURITY.md](../SECURITY.md).',
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
          ['parameter', 'in', 'description'],
          parameters.map(({ name, in: where, schema, required, description = schema.description ?? '' }) => [
            `\`${name}\``,
            where,
            `${typeOf(schema)}${required ? ', required' : ''}. ${description}`,
          ]),
        ),
      ];

const bodyLine = ({ requestBody }: Operation): string[] =>
  Object.values(requestBody?.content ?? {}).map(
    ({ schema }) =>
      `Request body, in JSON: \`{"spec": …}\`, where \`spec\` is a ${linked(`${schemaName(schema)}Spec`)}.`,
  );

const answersTable = ({ responses }: Operation): string =>
  table(
    ['status', 'answer', 'when'],
    Object.entries(responses).map(([status, { description, content = {} }]) => [
      status,
      Object.entries(content)
        .map(([media, { schema }]) => (schema.type === 'string' ? `\`${media}\`` : typeOf(schema)))
        .join(', ') || 'nothing',
      description,
    ]),
  );

const curlLine = (method: string, path: string, { security, requestBody, parameters }: Operation): string => {
  const [id] = parameters.flatMap(({ name, in: where, schema: { example } }) =>
    (name === 'id' || where === 'path') && example !== undefined ? [String(example)] : [],
  );
  const query = id !== undefined && parameters.some(({ name }) => name === 'id') ? `?id=${id}` : '';
  return [
    'curl',
    ...(method === 'GET' ? [] : [`-X ${method}`]),
    `"$PROVIDER${path.replace(/\{\w+\}/, id ?? '')}${query}"`,
    ...(security?.length === 0 ? [] : ['-H "Authorization: Bearer $TOKEN"']),
    ...Object.values(requestBody?.content ?? {}).flatMap(({ example }) => [
      "-H 'Content-Type: application/json'",
      `-d '${indented(example)}'`,
    ]),
  ].join(' ');
};

/** Only of the create, since the other operations answer the same schema. */
const answerExample = ({ responses }: Operation): string[] =>
  Object.values(responses['201']?.content ?? {}).map(
    ({ schema, example }) =>
      `When the ${wordOf(schema)} is running, the same request answers:\n\n\`\`\`json\n${indented(example)}\n\`\`\``,
  );

/** `VM` of the schema `Vm`. */
const wordOf = (schema: Schema): string => {
  const name = schemaName(schema).toLowerCase();
  return name === 'vm' ? 'VM' : name;
};

const indented = (example: unknown): string => JSON.stringify(example, undefined, 2);
