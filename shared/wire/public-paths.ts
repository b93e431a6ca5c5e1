/** Where health is answered: DCM asks below the endpoint that is registered, people and load balancers ask at the others. */
export const healthPaths = {
  vms: '/api/v1alpha1/vms/health',
  api: '/api/v1alpha1/health',
  root: '/health',
} as const;

export const openApiPath = '/api/v1alpha1/openapi.json';

/** Every path of the API that is answered without credentials, by GET: as it stands, and below `/{region}`. */
export const publicPaths: readonly string[] = [...Object.values(healthPaths), openApiPath];
