import * as z from 'zod/mini';
import type { ServiceType } from '../core/kind.ts';

const HealthType = z.enum([
  'ec2-sp.dcm.io/health',
  'ec2-sp.dcm.io/container-health',
  'ec2-sp.dcm.io/cluster-health',
]);

/** The `type` of the health of a service type, and of the health of the whole API. */
export const healthTypeOf = (serviceType: ServiceType | undefined): z.infer<typeof HealthType> =>
  serviceType === undefined || serviceType === 'vm'
    ? 'ec2-sp.dcm.io/health'
    : `ec2-sp.dcm.io/${serviceType}-health`;

/**
 * The answer that DCM's health pollers read, always with HTTP 200: to them, any other HTTP status, or any other word in `status`, means
 * that the provider does not answer.
 * @see https://github.com/dcm-project/enhancements (service-provider-health-check.md)
 */
export const Health = z
  .object({
    status: z
      .enum(['healthy', 'unhealthy'])
      .check(z.describe('Whether resources can be created, and their statuses published.')),
    version: z.string().check(z.describe('The provider’s.')),
    uptime: z
      .int()
      .check(z.minimum(0), z.describe('Seconds since this version of the provider first answered.')),
    type: HealthType.check(z.describe('What kind of resource this is.')),
    path: z.literal('health').check(z.describe('Its own.')),
    detail: z.optional(
      z.string().check(z.describe('What is not well, or that DCM refuses the registration.')),
    ),
  })
  .check(z.meta({ id: 'Health', description: 'How the provider is.' }));
export type Health = z.infer<typeof Health>;
