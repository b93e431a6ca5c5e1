import { undefined as absent, pattern, schema, truthy } from '@stoplight/spectral-functions';

type Check = {
  readonly function: typeof pattern | typeof schema | typeof truthy | typeof absent;
  readonly functionOptions?: unknown;
};

/** A rule of Spectral's, for a document whose references are not resolved: `$ref` says which schema is meant. */
export const rule = (given: string, then: Check, field?: string) => ({
  given,
  resolved: false,
  severity: 'error' as const,
  message: '{{description}}',
  // biome-ignore lint/suspicious/noThenProperty: it is Spectral's word
  then: { ...then, ...(field !== undefined && { field }) },
});

export const matches = (match: string) => ({ function: pattern, functionOptions: { match } });
export const differs = (notMatch: string) => ({ function: pattern, functionOptions: { notMatch } });
export const isThere = { function: truthy };
export const isAbsent = { function: absent };
export const fits = (wanted: object) => ({ function: schema, functionOptions: { schema: wanted } });

export const refersTo = (name: string) => ({
  properties: { $ref: { const: `#/components/schemas/${name}` } },
  required: ['$ref'],
});

export const hasQueryParameter = (name: string, type: string) =>
  fits({
    contains: {
      properties: {
        name: { const: name },
        in: { const: 'query' },
        schema: { properties: { type: { const: type } }, required: ['type'] },
      },
      required: ['name', 'in', 'schema'],
    },
  });
