import * as z from 'zod/mini';
import { openApiPath } from '../../../../shared/wire/public-paths.ts';
import { operation } from '../operation.ts';
import { NoQuery } from '../query.ts';

export const getOpenApi = operation({
  operationId: 'getOpenApi',
  method: 'GET',
  path: openApiPath,
  summary: 'Get this description',
  description: 'The API as an OpenAPI document.',
  isPublic: true,
  query: NoQuery,
  status: 200,
  says: 'The document.',
  answer: z.looseObject({}),
  problems: [],
  run: async () => (await import('../../../../docs/openapi.json', { with: { type: 'json' } })).default,
});
