import type { Kind } from '../core/kind.ts';

/** The path of a collection's health, which DCM polls below the registered endpoint. */
export const healthPathOf = (collection: Kind['collection']): string => `/api/v1alpha1/${collection}/health`;

/** The paths of the whole API's health, for people and load balancers. */
export const healthPaths = {
  api: '/api/v1alpha1/health',
  root: '/health',
} as const;

/** The page of the console. */
export const consolePath = '/console';

/** What the page reads. */
export const overviewPath = '/api/v1alpha1/overview';
export const changesPath = '/api/v1alpha1/changes';

export const openApiPath = '/api/v1alpha1/openapi.json';

/** Every path of an API with these collections that needs no credentials for GET: alone, and below `/{region}`. */
export const publicPaths = (collections: readonly Kind['collection'][]): readonly string[] => [
  ...collections.map(healthPathOf),
  ...Object.values(healthPaths),
  openApiPath,
];
