import type {
  EC2Client,
  Instance as Ec2Instance,
  InstanceStatus,
  InstanceStatusSummary,
  Reservation,
} from '@aws-sdk/client-ec2';
import { UnavailableError } from '../domain/errors.ts';
import { instanceStateOf } from '../domain/instance.ts';
import type { Instance, Instances } from '../ports/instances.ts';
import { regionalClients } from './regional-clients.ts';

const largestPage = 1000;

/**
 * EC2 by its own SDK client. Asks by filters, never by ids: one unknown id fails a call that names ids, and a
 * filtered, paginated call draws on the larger of EC2's request buckets. A warm function does not ask EC2, and has no client.
 * @see https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
 */
export const ec2Instances = (): Instances => {
  const clientIn = regionalClients({
    load: () => import('./ec2-sdk.ts'),
    connect: ({ EC2Client: Client }, region) => new Client({ region, maxAttempts: 2 }),
  });

  /** Runs `call` against the clock. */
  const ask = async <Answer>(
    { region, withinMs, what }: { region: string; withinMs: number; what: string },
    call: (
      ec2: typeof import('./ec2-sdk.ts'),
      client: EC2Client,
      abortSignal: AbortSignal,
    ) => Promise<Answer>,
  ): Promise<Answer> => {
    const { sdk, client } = await clientIn(region);
    try {
      return await call(sdk, client, AbortSignal.timeout(withinMs));
    } catch (cause) {
      throw new UnavailableError(`EC2 in ${region} did not ${what} within ${withinMs} ms`, { cause });
    }
  };

  return {
    describe: (region, instanceIds, withinMs) =>
      ask(
        { region, withinMs, what: `describe ${instanceIds.length} instances` },
        async (ec2, client, abortSignal) => {
          const filters = { Filters: [{ Name: 'instance-id', Values: [...instanceIds] }] };
          const pages = ec2.paginateDescribeInstances({ client, pageSize: largestPage }, filters, {
            abortSignal,
          });
          const found = new Map<string, Instance>();
          for await (const { Reservations } of pages)
            for (const instance of describedIn(Reservations)) found.set(instance.instanceId, instance);
          return found;
        },
      ),

    list: ({ region, tag, token, withinMs }) =>
      ask({ region, withinMs, what: 'list a page of instances' }, async (ec2, client, abortSignal) => {
        const command = new ec2.DescribeInstancesCommand({
          Filters: [{ Name: `tag:${tag.key}`, Values: [tag.value] }],
          MaxResults: largestPage,
          ...(token !== undefined && { NextToken: token }),
        });
        const { Reservations, NextToken } = await client.send(command, { abortSignal });
        return { instances: describedIn(Reservations), nextToken: NextToken || undefined };
      }),

    impaired: (region, check, withinMs) =>
      ask(
        { region, withinMs, what: `name those that fail the ${check} check` },
        async (ec2, client, signal) => {
          const filters = { Filters: [{ Name: `${check}-status.status`, Values: ['impaired'] }] };
          const pages = ec2.paginateDescribeInstanceStatus({ client, pageSize: largestPage }, filters, {
            abortSignal: signal,
          });
          const found: InstanceStatus[] = [];
          for await (const { InstanceStatuses = [] } of pages) found.push(...InstanceStatuses);
          return new Map(
            found.map((one) => [
              one.InstanceId ?? '',
              since(check === 'instance' ? one.InstanceStatus : one.SystemStatus),
            ]),
          );
        },
      ),
  };
};

const since = (summary: InstanceStatusSummary | undefined): number | undefined =>
  summary?.Details?.find(({ ImpairedSince }) => ImpairedSince)?.ImpairedSince?.getTime();

const describedIn = (reservations: readonly Reservation[] = []): Instance[] =>
  reservations.flatMap(({ OwnerId = '', Instances = [] }) =>
    Instances.flatMap((one) => described(OwnerId, one)),
  );

const described = (account: string, instance: Ec2Instance): Instance[] => {
  const { InstanceId, State, StateReason, Tags = [], LaunchTime } = instance;
  if (InstanceId === undefined || State?.Name === undefined) return [];
  const { Code: code, Message: message } = StateReason ?? {};
  return [
    {
      instanceId: InstanceId,
      account,
      state: instanceStateOf(State.Name).state,
      tags: Object.fromEntries(Tags.map(({ Key = '', Value = '' }) => [Key, Value])),
      reason: code && code !== State.Name ? { code, message } : undefined, // a launch has the reason "pending"
      launchedAtMs: LaunchTime?.getTime() ?? 0,
      instanceType: instance.InstanceType,
      imageId: instance.ImageId,
      zone: instance.Placement?.AvailabilityZone,
      privateAddress: instance.PrivateIpAddress || undefined,
      publicAddress: instance.PublicIpAddress || undefined,
      clientToken: instance.ClientToken || undefined,
    },
  ];
};
