import * as z from 'zod/mini';
import { nameOf, type ServiceType } from '../core/kind.ts';
import { statusSubject } from '../wire/cloudevents.ts';
import { kinds } from './kinds.ts';

const Time = z.iso.datetime().check(z.meta({ format: 'date-time' }));
const described = (description: string) => z.string().check(z.minLength(1), z.describe(description));

const endpoint = {
  address: described('An IP address.'),
  port: z.int().check(z.minimum(1), z.maximum(65_535)),
  scope: z
    .enum(['internal', 'external'])
    .check(z.describe('`internal`: in the VPC; `external`: on the internet.')),
};

/** `data.output_spec`, which other resources of a run can refer to. */
const outputsOf = {
  vm: () =>
    z.strictObject({
      ip: z
        .array(z.strictObject(endpoint))
        .check(
          z.minLength(1),
          z.describe('The internal address first. The port is 22, or 3389 where the VM runs Windows.'),
        ),
    }),
  container: () =>
    z.strictObject({
      endpoints: z
        .array(z.strictObject({ ...endpoint, protocol: z.literal('TCP') }))
        .check(z.minLength(1), z.describe('All ports at the private address first.')),
    }),
  cluster: () => z.strictObject({ api_endpoint: z.url().check(z.describe('URL of the Kubernetes API.')) }),
} as const satisfies Record<ServiceType, () => z.ZodMiniType>;

/** What decides the price. */
const sizesOf = {
  vm: () => ({
    instancetype: z.optional(described('The instance type, where it is known.')),
    platform: z.optional(described('As EC2’s `PlatformDetails`, such as `Linux/UNIX`, where it is known.')),
    market: z.optional(z.literal('spot').check(z.describe('Of a spot instance.'))),
  }),
  container: () => ({
    taskcpu: z.optional(described('CPU units of the task, where they are known.')),
    taskmemory: z.optional(described('MiB of the task, where they are known.')),
  }),
  cluster: () => ({}),
} as const satisfies Record<ServiceType, () => Readonly<Record<string, z.ZodMiniType>>>;

/**
 * The event with a status of a service type, exactly as it is published (wire/dcm-status.ts builds it): other fields are refused. For
 * documents and tests; publishing does not parse what it has built.
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 */
export const statusEventSchema = (serviceType: ServiceType) => {
  const kind = kinds.find((one) => one.serviceType === serviceType);
  if (kind === undefined) throw new RangeError(`service type ${serviceType}: expected one of our kinds`);
  const name = nameOf(serviceType);
  return z
    .strictObject({
      specversion: z.literal('1.0'),
      id: described(
        'The same at every attempt to publish this status, and no other status has it. Also the header `Nats-Msg-Id`. Not to be parsed.',
      ),
      source: z
        .string()
        .check(z.regex(/^dcm\/providers\/[a-z0-9-]+$/), z.describe('The provider, by its name at DCM.')),
      type: z.literal(`dcm.status.${serviceType}`),
      subject: z.literal(statusSubject(serviceType)).check(z.describe('Also the NATS subject.')),
      datacontenttype: z.literal('application/json'),
      time: Time.check(z.describe('When AWS says that the change happened, to the second.')),
      data: z.strictObject({
        id: described(`DCM’s id of the ${name}.`),
        status: z.enum(kind.statuses),
        message: z.string().check(z.describe('For people; at most 1 KiB.')),
        output_spec: z.optional(
          outputsOf[serviceType]().check(
            z.describe(
              'Values that other resources of a run can refer to. Always complete: replaces the one before.',
            ),
          ),
        ),
      }),
      sequence: z
        .string()
        .check(
          z.regex(/^\d+(-\d+-[a-z-]+)?$/),
          z.describe(`Orders the events of one ${name}, compared as text: a greater one is newer.`),
        ),
      partitionkey: described(
        'Events with the same key are published in the order of `sequence`. The resource in AWS; DCM’s id where none was created.',
      ),
      region: described('The AWS region of the resource.'),
      traceparent: z
        .string()
        .check(
          z.regex(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
          z.describe(
            'As W3C’s Trace Context. The trace id is that of the change: the same in log lines, and in every republication.',
          ),
        ),
      [kind.idExtension]: z.optional(
        described(`The ${kind.noun} in AWS. Absent where the create was refused, and there is none.`),
      ),
      account: z.optional(described('The AWS account that the resource is in.')),
      ...sizesOf[serviceType](),
      zone: z.optional(described('The Availability Zone, where it is known.')),
      requestid: z.optional(
        described(
          'The request to the provider’s API that caused the change: the `x-request-id` of its answer.',
        ),
      ),
      seenby: z.optional(
        z
          .enum(['listing', 'request'])
          .check(
            z.describe(
              'How the state was seen first, where not by an event of AWS: in a listing, or in the answer to a request to the provider’s API. Then `time` may be some seconds early.',
            ),
          ),
      ),
      previoussequence: z.optional(
        z
          .string()
          .check(
            z.regex(/^\d+$/),
            z.describe(
              'The `sequence` of the state before this one as AWS’s own event had it, where that event came after the state was published.',
            ),
          ),
      ),
      republished: z.optional(
        Time.check(
          z.describe(
            'Only in a republication: when it was requested. Subscribers that count leave these out.',
          ),
        ),
      ),
    })
    .check(z.meta({ title: `Status of a ${name}` }));
};
