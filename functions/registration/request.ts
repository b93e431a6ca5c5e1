import * as z from 'zod/mini';

/** What the custom resource is deployed with: whatever changes here has the rows registered anew at the next deployment. */
export const ResourceProperties = z.object({
  /** Of the registries, environment agents too, separated by commas: the name is the one that earlier versions read. */
  controlPlaneUrl: z.string(),
  rowNames: z.array(z.string()),
});

/** @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requesttypes.html */
const StackRequest = z.discriminatedUnion('RequestType', [
  z.object({ RequestType: z.literal('Create'), ResourceProperties }),
  z.object({
    RequestType: z.literal('Update'),
    ResourceProperties,
    OldResourceProperties: ResourceProperties,
  }),
  z.object({ RequestType: z.literal('Delete'), ResourceProperties }),
]);
export type StackRequest = z.infer<typeof StackRequest>;

/**
 * What the registration is invoked with: by the schedule to keep the rows registered, by people to register or withdraw them at once,
 * by `npm run doctor` to inspect what DCM has, or by CloudFormation.
 */
export const Request = z.union([
  z.object({ do: z.enum(['keep-registered', 'register', 'withdraw', 'inspect']) }),
  StackRequest,
]);
export type Request = z.infer<typeof Request>;
