import * as z from 'zod/mini';
import { nameOf, type ServiceType } from './kind.ts';

/** Paths below the API's collections that are not resources. */
const reserved: readonly string[] = ['health'];

/** A DCM id that the API accepts. @see https://aep.dev/122 */
const DcmId = z.string().check(
  z.regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, {
    error: 'expected 1 to 63 lower-case letters, digits and inner hyphens',
  }),
  z.refine((id) => !reserved.includes(id), { error: 'expected another id: this one is a path of the API' }),
);

/** The same, with the words for the API's description. */
export const dcmIdSchema = (serviceType: ServiceType) =>
  DcmId.check(
    z.meta({
      description: `The id that DCM has given the ${nameOf(serviceType)}.`,
      example: `${serviceType}-1`,
    }),
  );

/** Why the API cannot address a resource with this DCM id, which comes from tags and may be any text; undefined where it can. */
export const addressProblem = (dcmId: string, serviceType: ServiceType): string | undefined => {
  const parsed = DcmId.safeParse(dcmId);
  return parsed.success
    ? undefined
    : `the API cannot address a ${nameOf(serviceType)} with this DCM id: ${parsed.error.issues[0]?.message}`;
};
