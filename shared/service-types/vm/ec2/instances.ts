import type {
  EbsStatusSummary,
  EC2Client,
  Instance as Ec2Instance,
  InstanceStatus,
  InstanceStatusSummary,
  Reservation,
} from '@aws-sdk/client-ec2';
import type { AwsAccounts } from '../../../adapters/aws/accounts.ts';
import { isServerError, readsByTarget } from '../../../adapters/aws/calls.ts';
import { codeOf } from '../../../adapters/aws/errors.ts';
import { counted } from '../../../core/errors.ts';
import type { ListedEntry } from '../../../core/inventory/entry.ts';
import { type BilledFacts, usualPlatform } from '../../../core/outputs.ts';
import { instanceEntry } from '../inventory.ts';
import { instanceStateOf } from '../kind.ts';
import type { Instance, Instances } from '../ports.ts';
import type { ImpairedInstances, StatusCheck } from '../status-checks.ts';

const largestPage = 1000;

/**
 * EC2 by its SDK client. Asks by filters, because one unknown id fails a call that names ids, and because filtered, paginated calls have
 * the larger of EC2's request buckets. Asks by ids only where that failed: while a zone is down, every call without ids fails.
 * @see https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html
 */
export const ec2Instances = (accounts?: AwsAccounts): Instances & ImpairedInstances => {
  const ask = readsByTarget({
    name: 'EC2',
    load: () => import('./sdk.ts'),
    connect: ({ EC2Client: Client }, connection) => new Client(connection),
    accounts,
  });

  return {
    describe: (target, instanceIds, timeoutMs) =>
      ask(
        { target, timeoutMs, what: `describe ${counted(instanceIds.length, 'instance')}` },
        async (ec2, client, abortSignal) => {
          const filters = { Filters: [{ Name: 'instance-id', Values: [...instanceIds] }] };
          const pages = ec2.paginateDescribeInstances({ client, pageSize: largestPage }, filters, {
            abortSignal,
          });
          const found: Instance[] = [];
          try {
            for await (const { Reservations } of pages) found.push(...describedIn(Reservations));
          } catch (error) {
            if (!isServerError(error)) throw error;
            return byId(await describeIds(ec2, client, instanceIds, abortSignal));
          }
          return byId(found);
        },
      ),

    list: ({ target, tag, token, timeoutMs, withEntries = false }) =>
      ask({ target, timeoutMs, what: 'list a page of instances' }, async (ec2, client, abortSignal) => {
        const command = new ec2.DescribeInstancesCommand({
          ...(!withEntries && { Filters: [{ Name: `tag:${tag.key}`, Values: [tag.value] }] }),
          MaxResults: largestPage,
          ...(token !== undefined && { NextToken: token }),
        });
        const { Reservations, NextToken } = await client.send(command, { abortSignal });
        return {
          resources: describedIn(Reservations),
          nextToken: NextToken || undefined,
          ...(withEntries && { entries: entriesIn(Reservations) }),
        };
      }),

    impaired: (target, check, timeoutMs) =>
      ask(
        { target, timeoutMs, what: `return the instances that fail the ${check} check` },
        async (ec2, client, signal) => {
          const filters = { Filters: [{ Name: `${check}-status.status`, Values: ['impaired'] }] };
          const pages = ec2.paginateDescribeInstanceStatus({ client, pageSize: largestPage }, filters, {
            abortSignal: signal,
          });
          const found: InstanceStatus[] = [];
          for await (const { InstanceStatuses = [] } of pages) found.push(...InstanceStatuses);
          return new Map(
            found.flatMap(({ InstanceId, [summaries[check]]: summary }) =>
              InstanceId !== undefined && summary?.Status === 'impaired'
                ? [[InstanceId, since(summary)]]
                : [],
            ),
          );
        },
      ),
  };
};

type Sdk = typeof import('./sdk.ts');

/** EC2 refuses a call with ids that it does not know, and names them; the call is repeated without them. */
const describeIds = async (
  ec2: Sdk,
  client: EC2Client,
  instanceIds: readonly string[],
  abortSignal: AbortSignal,
): Promise<Instance[]> => {
  if (instanceIds.length === 0) return [];
  const command = new ec2.DescribeInstancesCommand({ InstanceIds: [...instanceIds] });
  try {
    return describedIn((await client.send(command, { abortSignal })).Reservations);
  } catch (error) {
    const unknown = codeOf(error) === 'InvalidInstanceID.NotFound' ? idsIn(error) : [];
    const known = instanceIds.filter((id) => !unknown.includes(id));
    if (known.length === instanceIds.length) throw error;
    return describeIds(ec2, client, known, abortSignal);
  }
};

const idsIn = (error: unknown): readonly string[] =>
  (error instanceof Error && error.message.match(/\bi-[0-9a-f]+/g)) || [];

const byId = (instances: readonly Instance[]): ReadonlyMap<string, Instance> =>
  new Map(instances.map((instance) => [instance.resourceId, instance]));

const summaries = {
  instance: 'InstanceStatus',
  system: 'SystemStatus',
  'attached-ebs': 'AttachedEbsStatus',
} as const satisfies Record<StatusCheck, keyof InstanceStatus>;

const since = (summary: InstanceStatusSummary | EbsStatusSummary): number | undefined =>
  summary.Details?.find(({ ImpairedSince }) => ImpairedSince)?.ImpairedSince?.getTime();

const describedIn = (reservations: readonly Reservation[] = []): Instance[] =>
  reservations.flatMap(({ OwnerId = '', Instances = [] }) =>
    Instances.flatMap((one) => described(OwnerId, one)),
  );

const entriesIn = (reservations: readonly Reservation[] = []): ListedEntry[] =>
  reservations.flatMap(({ Instances = [] }) => Instances.flatMap((one) => instanceEntry(one) ?? []));

const described = (account: string, instance: Ec2Instance): Instance[] => {
  const { InstanceId, State, StateReason, Tags = [], LaunchTime } = instance;
  if (InstanceId === undefined || State?.Name === undefined) return [];
  const { Code: code, Message: message } = StateReason ?? {};
  return [
    {
      resourceId: InstanceId,
      account,
      state: instanceStateOf(State.Name).state,
      tags: Object.fromEntries(Tags.map(({ Key = '', Value = '' }) => [Key, Value])),
      reason: code && code !== State.Name ? { code, message } : undefined, // a launch has the reason "pending"
      launchedAtMs: LaunchTime?.getTime() ?? 0,
      instanceType: instance.InstanceType,
      size: instance.InstanceType,
      platform: platformOf(instance),
      imageId: instance.ImageId,
      zone: instance.Placement?.AvailabilityZone,
      market: marketOf(instance),
      privateAddress: instance.PrivateIpAddress || instance.Ipv6Address || undefined,
      publicAddress: instance.PublicIpAddress ?? '',
      isWindows: isWindows(instance) || undefined,
      clientToken: instance.ClientToken || undefined,
    },
  ];
};

/** @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/billing-info-fields.html */
export const platformOf = ({ PlatformDetails }: Pick<Ec2Instance, 'PlatformDetails'>): string | undefined =>
  PlatformDetails === usualPlatform ? undefined : PlatformDetails;

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html (instanceLifecycle) */
export const marketOf = ({
  InstanceLifecycle,
}: Pick<Ec2Instance, 'InstanceLifecycle'>): BilledFacts['market'] =>
  InstanceLifecycle === 'spot' ? 'spot' : undefined;

/**
 * EC2 says `windows`, in lower case whatever its model says, and nothing for any other system.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html (platform)
 */
export const isWindows = ({ Platform }: Pick<Ec2Instance, 'Platform'>): boolean =>
  Platform?.toLowerCase() === 'windows';
