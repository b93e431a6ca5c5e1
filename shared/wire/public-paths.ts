/** The paths of health: DCM polls the one below the registered endpoint; the others are for people and load balancers. */
export const healthPaths = {
  vms: '/api/v1alpha1/vms/health',
  api: '/api/v1alpha1/health',
  root: '/health',
} as const;

export const openApiPath = '/api/v1alpha1/openapi.json';

/** Every path of the API that needs no credentials for GET: alone, and below `/{region}`. */
export const publicPaths: readonly string[] = [...Object.values(healthPaths), openApiPath];
