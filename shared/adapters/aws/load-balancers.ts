import type { LoadBalancer, TagDescription } from '@aws-sdk/client-elastic-load-balancing-v2';
import { type ListedEntry, objectOf } from '../../core/inventory/entry.ts';
import type { Tags } from '../../core/ownership.ts';
import type { ListedCollections } from '../../ports/inventory.ts';
import { type AwsAccounts, homeAccountAlone } from './accounts.ts';
import { readsByTarget } from './calls.ts';

/** A page is one call, and one for the tags of each twenty: the service has up to 400, which would not fit into the time for a page. */
const largestPage = 100;
/** @see https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html */
const taggedAtOnce = 20;

/**
 * The load balancers of version 2: application, network and gateway load balancers. Their ids are their names, which are unique in an
 * account's region. One that is deleted while a page is read fails the page, since the service then tells no tags of the others.
 */
export const loadBalancers = (accounts: AwsAccounts = homeAccountAlone): ListedCollections => {
  const ask = readsByTarget({
    name: 'Elastic Load Balancing',
    load: () => import('./load-balancers-sdk.ts'),
    connect: ({ ElasticLoadBalancingV2Client: Client }, connection) => new Client(connection),
    accounts,
  });
  return {
    list: ({ place: { target }, token, timeoutMs }) =>
      ask({ target, timeoutMs, what: 'list a page of load balancers' }, async (elb, client, abortSignal) => {
        const page = new elb.DescribeLoadBalancersCommand({
          PageSize: largestPage,
          ...(token !== undefined && { Marker: token }),
        });
        const { LoadBalancers = [], NextMarker } = await client.send(page, { abortSignal });
        const arns = LoadBalancers.flatMap(({ LoadBalancerArn }) => LoadBalancerArn ?? []);
        const tags = new Map<string, Tags>();
        let calls = 1;
        for (let start = 0; start < arns.length; start += taggedAtOnce, calls += 1) {
          const ResourceArns = arns.slice(start, start + taggedAtOnce);
          const described = await client.send(new elb.DescribeTagsCommand({ ResourceArns }), { abortSignal });
          for (const one of described.TagDescriptions ?? []) tags.set(one.ResourceArn ?? '', tagsOf(one));
        }
        const entries = LoadBalancers.flatMap((one) =>
          entryOf(one, tags.get(one.LoadBalancerArn ?? '') ?? {}),
        );
        return { entries, nextToken: NextMarker || undefined, calls };
      }),
  };
};

const tagsOf = ({ Tags: tags = [] }: TagDescription): Tags =>
  Object.fromEntries(tags.map(({ Key = '', Value = '' }) => [Key, Value]));

const entryOf = (one: LoadBalancer, tags: Tags): ListedEntry[] => {
  const { LoadBalancerName: id, State: { Code: state, Reason } = {}, VpcId: vpcId } = one;
  if (id === undefined) return [];
  const fails = state === 'failed' || state === 'active_impaired';
  return [
    {
      ...{ id, name: tags.Name ?? id, tags, state, vpcId },
      ...(fails && { unhealthy: Reason ?? `its state is ${state}` }),
      object: objectOf({ ...one, Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) }),
    },
  ];
};
