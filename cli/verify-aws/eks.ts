import * as z from 'zod/mini';
import type { Account, Checks, Found } from './account.ts';
import { defaultSubnets } from './ecs.ts';

const assumed = {
  creating: 'how it refuses to delete a cluster that is CREATING',
  visible: 'DescribeCluster shows a new cluster within two minutes',
  order: 'the order of ListUpdates',
  role: "its refusal of a role has the role's name or ARN in its text",
  outcome: 'DescribeUpdate shows the outcome once the cluster has left UPDATING',
  minutes: 'a node group takes 2 to 4 minutes, after about 10 for the cluster',
} as const;

const Cluster = z.object({ cluster: z.object({ status: z.string() }) });
const Nodegroup = z.object({ nodegroup: z.object({ status: z.string() }) });
const Update = z.object({ update: z.object({ id: z.string(), status: z.string() }) });
const updateSample = { update: { id: 'UPDATE', status: '' } };

/** The two errors that EKS documents for a deletion. */
const documented = ['ResourceInUseException', 'InvalidRequestException'];

/** What ADR 53, 54 and 57 rely on, with roles that exist, as docs/deploy.md has them. */
export const eks = (roles: { readonly cluster: string; readonly node: string }): Checks => ({
  service: 'EKS',
  makes: 'a cluster for about half an hour, and a t3.medium for about ten minutes of it',
  dollars: 0.25,
  minutes: 35,
  assumptions: Object.values(assumed),
  run: async (account, found) => {
    const { persist, untilGone, toRemove, name, seconds } = account;
    const subnets = await defaultSubnets(account);
    toRemove(`EKS cluster ${name}`, async () => {
      await persist(['eks', 'delete-cluster', '--name', name], 1800);
      await untilGone(['eks', 'describe-cluster', '--name', name]);
    });
    const create = (role: string) => [
      ...['eks', 'create-cluster', '--name', name, '--role-arn', role],
      ...['--resources-vpc-config', `subnetIds=${subnets.join(',')}`],
      ...['--access-config', 'authenticationMode=API'],
    ];
    await checkRole(account, create, [roles.cluster, found]);
    const begin = seconds();
    await account.tell(create(roles.cluster));
    if (!(await checkCreating(account, found))) return;
    await untilIs(account, 'ACTIVE');
    const active = seconds();
    await makeNodes(account, { role: roles.node, subnets });
    const [cluster, nodes] = [(active - begin) / 60, (seconds() - active) / 60];
    const took = `the cluster ${cluster.toFixed(1)} min, the node group ${nodes.toFixed(1)} min`;
    found(assumed.minutes, took, cluster <= 15 && nodes <= 5 ? 'as assumed' : 'otherwise');
    await checkUpdates(account, found);
  },
});

const checkRole = async (
  { refusalOf, name }: Account,
  create: (role: string) => string[],
  [role, found]: readonly [string, Found],
): Promise<void> => {
  const absent = `${role.replace(/role\/.*$/, 'role/')}${name}-absent`;
  const refused = await refusalOf(create(absent), { sampleCode: 'InvalidParameterException' });
  if (refused === undefined) throw new Error(`EKS accepted the role ${absent}, which does not exist`);
  const isNamed = refused.message.includes(`${name}-absent`);
  found(assumed.role, refused.message, isNamed ? 'as assumed' : 'otherwise');
};

/** Returns whether the cluster is still there. */
const checkCreating = async (
  { refusalOf, sleep, seconds, name }: Account,
  found: Found,
): Promise<boolean> => {
  const begin = seconds();
  const isShown = async () => (await refusalOf(['eks', 'describe-cluster', '--name', name])) === undefined;
  while (!(await isShown())) {
    if (seconds() - begin > 600)
      throw new Error('DescribeCluster does not show the cluster after ten minutes');
    await sleep(2);
  }
  const took = seconds() - begin;
  found(assumed.visible, `after ${took} s`, took <= 120 ? 'as assumed' : 'otherwise');
  const deletion = ['eks', 'delete-cluster', '--name', name];
  const refused = await refusalOf(deletion, { sampleCode: 'ResourceInUseException' });
  const isDocumented = documented.includes(refused?.code ?? '');
  found(assumed.creating, refused?.message ?? 'it deletes it', isDocumented ? 'as assumed' : 'otherwise');
  return refused !== undefined;
};

/** @throws where the cluster is FAILED */
const untilIs = ({ until, name }: Account, wanted: 'ACTIVE' | 'UPDATING') =>
  until(['eks', 'describe-cluster', '--name', name], [Cluster, { cluster: { status: '' } }], {
    isReached: ({ cluster: { status } }) => {
      if (status === 'FAILED') throw new Error('the cluster is FAILED');
      return status === wanted;
    },
    ...{ everySeconds: wanted === 'ACTIVE' ? 10 : 2, longestSeconds: wanted === 'ACTIVE' ? 2400 : 120 },
  });

/** Updates the cluster twice, since one update has no order. */
const checkUpdates = async (account: Account, found: Found): Promise<void> => {
  const { ask, name } = account;
  const made: string[] = [];
  const outcomes: string[] = [];
  for (const cidr of ['203.0.113.0/24', '198.51.100.0/24']) {
    const access = `endpointPublicAccess=true,publicAccessCidrs=${cidr}`;
    const call = ['eks', 'update-cluster-config', '--name', name, '--resources-vpc-config', access];
    const { id } = (await ask(call, Update, updateSample)).update;
    made.push(id);
    await untilIs(account, 'UPDATING');
    await untilIs(account, 'ACTIVE');
    const read = ['eks', 'describe-update', '--name', name, '--update-id', id];
    outcomes.push((await ask(read, Update, updateSample)).update.status);
  }
  const isKnown = !outcomes.includes('InProgress');
  found(assumed.outcome, outcomes.join(', '), isKnown ? 'as assumed' : 'otherwise');
  const Ids = z.object({ updateIds: z.array(z.string()) });
  const { updateIds } = await ask(['eks', 'list-updates', '--name', name], Ids, { updateIds: made });
  const [first, second] = updateIds.filter((id) => made.includes(id));
  const order = first === made[0] ? 'the oldest first' : 'the newest first';
  if (second === undefined) found(assumed.order, 'it does not have both updates', 'otherwise');
  else found(assumed.order, `of two, ${order}; none is relied on`, 'as assumed');
};

type Nodes = { readonly role: string; readonly subnets: readonly string[] };

const makeNodes = async (
  { tell, until, untilGone, toRemove, persist, name }: Account,
  { role, subnets }: Nodes,
): Promise<void> => {
  const which = ['--cluster-name', name, '--nodegroup-name', 'workers'];
  toRemove(`node group workers of ${name}`, async () => {
    await persist(['eks', 'delete-nodegroup', ...which], 900);
    await untilGone(['eks', 'describe-nodegroup', ...which]);
  });
  await tell([
    ...['eks', 'create-nodegroup', ...which, '--node-role', role, '--subnets', ...subnets],
    ...['--instance-types', 't3.medium', '--scaling-config', 'minSize=1,maxSize=1,desiredSize=1'],
  ]);
  await until(['eks', 'describe-nodegroup', ...which], [Nodegroup, { nodegroup: { status: '' } }], {
    isReached: ({ nodegroup }) => {
      if (nodegroup.status === 'CREATE_FAILED') throw new Error('the node group is CREATE_FAILED');
      return nodegroup.status === 'ACTIVE';
    },
    ...{ everySeconds: 10, longestSeconds: 1200 },
  });
};
