import * as z from 'zod/mini';
import { problemKinds } from '../../shared/wire/problem.ts';

type Schema = {
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
};

const Schema: z.ZodMiniType<Schema> = z.looseObject({
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
});

const Content = z.optional(z.record(z.string(), z.object({ schema: Schema })));
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
  components: z.object({ schemas: z.record(z.string(), Schema) }),
});

const heading = `# API

Made from the schemas by \`npx tsx functions/provider-api/openapi.ts\`, as is [openapi.json](openapi.json), which the provider serves at
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
    ...operations,
    problemSection(),
    '## Schemas',
    ...schemas,
    '',
  ].join('\n\n');
};

const operationSection = (method: string, path: string, operation: Operation): string =>
  [
    `## ${operation.summary}`,
    `\`${method} ${path}\` (\`${operation.operationId}\`)${operation.security?.length === 0 ? ', public' : ''}`,
    operation.description,
    ...parametersTable(operation),
    ...bodyLine(operation),
    answersTable(operation),
    `\`\`\`sh\n${curlLine(method, path, operation)}\n\`\`\``,
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
  Object.values(requestBody?.content ?? {}).map(({ schema }) => `Body: ${typeOf(schema)}, in JSON.`);

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

const exampleSpec =
  '{"spec":{"service_type":"vm","vcpu":{"count":2},"memory":{"size":"4GB"},"storage":{"disks":[{"name":"boot","capacity":"20GB"}]},"guest_os":{"type":"ubuntu-24.04"}}}';

const curlLine = (method: string, path: string, { security, requestBody, parameters }: Operation): string => {
  const query = parameters.some(({ name }) => name === 'id') ? '?id=vm-1' : '';
  return [
    'curl',
    ...(method === 'GET' ? [] : [`-X ${method}`]),
    `"$PROVIDER${path.replace('{vm_id}', 'vm-1')}${query}"`,
    ...(security?.length === 0 ? [] : ['-H "Authorization: Bearer $TOKEN"']),
    ...(requestBody ? ["-H 'Content-Type: application/json'", `-d '${exampleSpec}'`] : []),
  ].join(' ');
};

const problemSection = (): string =>
  [
    '## Problems',
    'Every error is `application/problem+json` ([Problem](#problem)). Its `type` is `https://dcm-project.github.io/problems/` with one of these behind it.',
    table(
      ['type', 'status', 'a retry can help', '`Retry-After`'],
      Object.entries(problemKinds).map(([code, kind]) => [
        `\`${code}\``,
        String(kind.status),
        kind.retryable ? 'yes' : 'no',
        'retryAfterSeconds' in kind ? `${kind.retryAfterSeconds} s` : '–',
      ]),
    ),
  ].join('\n\n');

const schemaSection = (name: string, schema: Schema): string =>
  [
    `### ${name}`,
    schema.description ?? '',
    schema.properties
      ? table(['field', 'type', 'what it is'], fieldRows(schema))
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
    const row = [`\`${path}\``, [typeOf(schema), ...note].join(', '), schema.description ?? ''];
    return [row, ...fieldRows(inner, `${path}.`)];
  });

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
  if ($ref !== undefined) return linked($ref.slice($ref.lastIndexOf('/') + 1));
  if (only !== undefined) return `\`${only}\``;
  if (values !== undefined) return values.map((value) => `\`${value}\``).join(', ');
  if (items !== undefined) return `list of ${typeOf(items)}`;
  const range = minimum !== undefined && maximum !== undefined ? ` ${minimum}–${maximum}` : '';
  return `${format ?? type ?? 'anything'}${range}`;
};

const linked = (name: string): string => `[${name}](#${name.toLowerCase()})`;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
