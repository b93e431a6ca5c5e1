import { describe, expect, it } from 'vitest';
import { InvalidArgumentError, UnprocessableError } from '../../../../shared/core/errors.ts';
import { launchTags, workersIn } from '../../../../shared/service-types/cluster/launch.ts';
import { planCluster } from '../../../../shared/service-types/cluster/plan/plan-cluster.ts';
import type { ClusterVersion } from '../../../../shared/service-types/cluster/ports.ts';
import { ClusterProvisioning } from '../../../../shared/service-types/cluster/provisioning.ts';
import { specOf } from '../../../../shared/service-types/cluster/spec.ts';
import { defaultTypes } from '../../../fakes/scripted-offerings.ts';
import { tagKeys } from '../../../fixtures/resource-messages.ts';

const admin = 'arn:aws:iam::123456789012:role/admin';
const settings = {
  regions: {
    'us-east-1': {
      subnets: [
        { id: 'subnet-1', zone: 'us-east-1a' },
        { id: 'subnet-2', zone: 'us-east-1b' },
      ],
    },
  },
  clusterRoleArn: 'arn:aws:iam::123456789012:role/cluster',
  nodeRoleArn: 'arn:aws:iam::123456789012:role/node',
  adminPrincipals: [admin, `${admin}-2`],
};
const versions: readonly ClusterVersion[] = [
  { version: '1.33', support: 'standard', isDefault: true },
  { version: '1.30', support: 'extended', isDefault: false },
  { version: '1.22', support: 'ended', isDefault: false },
];

const planned = (fields: object, { more = {}, living = 0, region = 'us-east-1', generation = 0 } = {}) =>
  planCluster({
    versions: async () => versions,
    instanceTypes: async (_, families) =>
      defaultTypes.filter(({ instanceType }) => families.some((one) => instanceType.startsWith(`${one}.`))),
    provisioning: ClusterProvisioning.parse({ ...settings, ...more }),
    livingClusters: async () => living,
    provider: 'ec2-sp',
    tagKeys,
  })(specOf({ service_type: 'cluster', version: '1.33', ...fields }), {
    ...{ dcmId: 'c-1', region, requestId: 'request-1', generation },
  });

describe('the plan of a cluster', () => {
  it('is EKS Auto Mode without workers', async () => {
    expect(await planned({})).toMatchObject({
      name: 'c-1',
      version: '1.33',
      workers: undefined,
      subnetIds: ['subnet-1', 'subnet-2'],
      endpoint: 'public',
      extendedSupport: false,
      adminPrincipals: settings.adminPrincipals,
      chosenBy: {
        version: 'version, as the spec names it; EKS has it in standard support',
        workers: 'EKS Auto Mode, as nodes.workers is absent',
      },
    });
  });

  it('has a node group of the smallest type that fits, with a disk of at least 20 GiB', async () => {
    const plan = await planned({ nodes: { workers: { count: 3, cpu: 2, memory: '8GB', storage: '10GB' } } });

    expect(plan.workers).toEqual({ count: 3, instanceType: 't3.large', diskGib: 20 });
  });

  it('names the cluster after its id, and another one of the same id after its generation too (CC 22)', async () => {
    expect((await planned({}, { generation: 2 })).name).toBe('c-1_2');
  });

  it('drops the patch of a full version, and says so', async () => {
    const plan = await planned({ version: '1.33.2' });

    expect([plan.version, plan.chosenBy.version]).toEqual([
      '1.33',
      'version, as the spec names it, without the patch of 1.33.2: EKS chooses it; EKS has it in standard support',
    ]);
  });

  it('takes the operator’s default version', async () => {
    expect(await planned({ version: '' }, { more: { defaultVersion: '1.33' } })).toMatchObject({
      version: '1.33',
      chosenBy: {
        version: 'setting clusters.defaultVersion, as version is absent; EKS has it in standard support',
      },
    });
    await expect(planned({ version: '' })).rejects.toThrow(InvalidArgumentError);
  });

  it('takes a version in extended support only where the operator allows it', async () => {
    await expect(planned({ version: '1.30' })).rejects.toThrow('clusters.extendedSupport');
    expect(await planned({ version: '1.30' }, { more: { extendedSupport: true } })).toMatchObject({
      version: '1.30',
      extendedSupport: true,
      chosenBy: { version: 'version, as the spec names it; EKS has it in extended support' },
    });
  });

  it('lets hints choose among what the operator allows', async () => {
    const aws = { endpoint: 'private', admin_principals: [admin] };

    expect(await planned({ provider_hints: { aws } })).toMatchObject({
      endpoint: 'private',
      adminPrincipals: [admin],
    });
  });

  it.each([
    ['version: there is no version 1.99; EKS in us-east-1 offers 1.33', { version: '1.99' }, {}],
    ['version: 1.22 is no longer supported', { version: '1.22' }, {}],
    ['region: this provider does not create clusters in eu-west-1', {}, { region: 'eu-west-1' }],
    ['there are 5 clusters, and this provider allows 5', {}, { living: 5 }],
    ['nodes.workers.count: 11 is more than the 10', { nodes: { workers: { count: 11 } } }, {}],
    ['nodes.workers.storage: ', { nodes: { workers: { count: 1, storage: '2TB' } } }, {}],
    ['no instance type of ', { nodes: { workers: { count: 1, cpu: 16, memory: '99GB' } } }, {}],
    [
      'provider_hints.aws.instance_type: p5.48xlarge is not in the families',
      { nodes: { workers: { count: 1 } }, provider_hints: { aws: { instance_type: 'p5.48xlarge' } } },
      {},
    ],
    [
      'provider_hints.aws.endpoint: ',
      { provider_hints: { aws: { endpoint: 'public' } } },
      { more: { endpoint: 'private' } },
    ],
    [
      'provider_hints.aws.admin_principals: ',
      { provider_hints: { aws: { admin_principals: [`${admin}-3`] } } },
      {},
    ],
  ])('is refused with the reason: %s', async (message, fields, more) => {
    const refused = planned(fields, more);

    await expect(refused).rejects.toThrow(UnprocessableError);
    await expect(refused).rejects.toThrow(message);
  });

  it('is refused where a hint of an instance type has no effect', async () => {
    const refused = planned({ provider_hints: { aws: { instance_type: 't3.large' } } });

    await expect(refused).rejects.toThrow('provider_hints.aws.instance_type: expected nodes.workers too');
  });

  it('has tags that show whose the cluster is, and the workers that it is to have', async () => {
    const plan = await planned({
      nodes: { workers: { count: 2, cpu: 2 } },
      metadata: { labels: { a: 'b' } },
    });
    const tags = launchTags(plan, 'token');

    expect(tags).toMatchObject({
      Name: 'c-1',
      a: 'b',
      'managed-by': 'dcm',
      'dcm-instance-id': 'c-1',
      'dcm-provider': 'ec2-sp',
      'dcm-service-type': 'cluster',
      'dcm-client-token': 'token',
    });
    expect(workersIn(tags)).toEqual(plan.workers);
    expect(workersIn(launchTags(await planned({}), 'token'))).toBeUndefined();
  });

  it('gets no workers and no other client token from a label', async () => {
    const labels = { 'dcm-workers': '50 p5.48xlarge 2000GiB', 'dcm-client-token': 'another' };
    const tags = launchTags(await planned({ metadata: { labels } }), 'token');

    expect(workersIn(tags)).toBeUndefined();
    expect(tags['dcm-client-token']).toBe('token');
  });

  it('has at most 50 tags, with those that the creation adds', async () => {
    const labels = Object.fromEntries(Array.from({ length: 42 }, (_, index) => [`l${index}`, '']));

    expect(
      Object.keys(launchTags(await planned({ metadata: { labels } }), 'token')).length,
    ).toBeLessThanOrEqual(50);
    await expect(planned({ metadata: { labels: { ...labels, more: '' } } })).rejects.toThrow('1 too many');
  });
});
