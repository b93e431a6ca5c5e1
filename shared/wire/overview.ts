import * as z from 'zod/mini';
import { Collection } from '../core/inventory/entry.ts';
import { ServiceType } from '../core/kind.ts';

const DateTime = z.iso.datetime();
const described = (description: string) => z.string().check(z.describe(description));
const Type = ServiceType.check(z.describe('DCM’s service type.'));
const time = (description: string) => DateTime.check(z.describe(description));

/** A resource with what a table of all resources shows. */
export const OverviewResource = z
  .object({
    dcmId: described('DCM’s id.'),
    serviceType: Type,
    target: described('The name of its target: `eu-west-1`, or `prod/eu-west-1` in another account.'),
    status: described('DCM’s status.'),
    message: described('What DCM was told with it: the state, with its reason or a warning.'),
    time: time('Since when it has this status, on the service’s clock.'),
    resourceId: z.optional(described('The id or name that the AWS service gave it.')),
    size: z.optional(described('The instance type, the size of the task, or the version of Kubernetes.')),
    labels: z.optional(
      z
        .record(z.string(), z.string())
        .check(
          z.describe(
            'The labels of its spec, up to 1,000 characters in all; of an adopted resource, the tags with which it was found. Absent: none, or it was created by an earlier version.',
          ),
        ),
    ),
    createdAt: time('When DCM requested it.'),
    adopted: z.optional(
      z.boolean().check(z.describe('Whether it was tagged, and not launched by this provider.')),
    ),
    history: z
      .array(z.object({ status: described('DCM’s status.'), time: time('Since when it had it.') }))
      .check(z.describe('Its last statuses, the oldest first.')),
  })
  .check(z.meta({ id: 'OverviewResource', description: 'A resource in the overview.' }));
export type OverviewResource = z.infer<typeof OverviewResource>;

/** The listing of one service type in a target. */
const Listing = z
  .object({
    serviceType: Type,
    mode: z
      .enum(['streaming', 'legacy'])
      .check(z.describe('`streaming`: by events, and listings find the rest. `legacy`: by listings alone.')),
    intervalSeconds: z.int().check(z.describe('The time between two listings.')),
    listedAt: z.optional(time('When the last complete listing ended. Absent: there was none.')),
    resources: z.int().check(z.describe('How many of the provider’s resources it found.')),
    healed: z.optional(
      z
        .int()
        .check(
          z.describe(
            'How many states listings found that no event had reported, in all. Absent with the mode `legacy`, where listings find everything.',
          ),
        ),
    ),
    healedAt: z.optional(time('When they found the last one. Absent: none.')),
    breakerSince: z.optional(
      time('Since when the breaker holds deletions back. Absent: it has not tripped.'),
    ),
    republicationRequestedAt: z.optional(
      time('When it was requested that every status be published once more. Absent: no request is open.'),
    ),
  })
  .check(z.meta({ id: 'OverviewListing', description: 'How a service type is listed in a target.' }));

/** The provider of one service type in a target, as DCM has it. */
const Provider = z
  .object({
    serviceType: Type,
    name: described('The provider’s name at DCM.'),
    health: z.enum(['healthy', 'unhealthy']).check(z.describe('As DCM’s health checks see it.')),
    detail: z.optional(described('What is wrong.')),
    registration: z.optional(
      z
        .object({
          outcome: z.enum(['registered', 'refused', 'unreachable']).check(z.describe('How it ended.')),
          detail: described('The same in words.'),
          at: time('When it was made.'),
        })
        .check(z.describe('The last attempt to register it. Absent: it is not registered by this provider.')),
    ),
  })
  .check(z.meta({ id: 'OverviewProvider', description: 'A provider of DCM that a target has.' }));

export const OverviewTarget = z
  .object({
    name: described('As in `OverviewResource.target` and in the change feed.'),
    region: described('AWS region.'),
    account: described('The alias of the account; `home` of the home account.'),
    path: described('What stands before `/api/v1alpha1` in the paths of its resources.'),
    mayWrite: z.boolean().check(z.describe('Whether the credentials permit changes there.')),
    listings: z.array(Listing).check(z.describe('One for each service type that is reported there.')),
    providers: z
      .array(Provider)
      .check(z.describe('One for each service type whose resources can be created there.')),
    inventory: z.optional(
      z
        .array(
          z.object({
            collection: Collection.check(z.describe('Of the inventory.')),
            count: z.int().check(z.describe('How many resources it has.')),
            listedAt: time('When it was last listed completely.'),
          }),
        )
        .check(z.describe('How many resources the inventory has. Absent: there is no inventory.')),
    ),
  })
  .check(z.meta({ id: 'OverviewTarget', description: 'A region of an account.' }));
export type OverviewTarget = z.infer<typeof OverviewTarget>;

/** The answer of `GET /api/v1alpha1/overview`. */
export const Overview = z
  .object({
    provider: described('The provider’s name.'),
    version: described('The provider’s version.'),
    time: time('The provider’s clock.'),
    cursor: described('Of the change feed: the changes after it are not in this answer.'),
    targets: z.array(OverviewTarget).check(z.describe('Those that the credentials permit.')),
    counts: z
      .array(
        z.object({
          serviceType: Type,
          status: described('DCM’s status.'),
          count: z.int().check(z.describe('How many resources have it.')),
        }),
      )
      .check(z.describe('How many resources there are, by status.')),
    countsAreComplete: z.boolean().check(z.describe('Whether all resources were counted.')),
    resources: z
      .array(OverviewResource)
      .check(
        z.describe(
          'All that need attention, then those that changed last, up to `rows`. Absent with `rows=0`, as counts are.',
        ),
      ),
    problems: z.array(z.string()).check(z.describe('What could not be read.')),
  })
  .check(z.meta({ id: 'Overview', description: 'All that the console shows at first.' }));
export type Overview = z.infer<typeof Overview>;
