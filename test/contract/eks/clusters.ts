import { randomUUID } from 'node:crypto';
import {
  CreateClusterCommand,
  type CreateClusterCommandInput,
  DeleteClusterCommand,
  DescribeClusterCommand,
  DescribeClusterVersionsCommand,
  type DescribeClusterVersionsCommandInput,
  EKSClient,
  ListClustersCommand,
  paginateListClusters,
} from '@aws-sdk/client-eks';
import { describe, expect, it } from 'vitest';
import { clientConfig } from '../../../local/emulators/client-config.ts';
import { clusterRole, codes, nodeRole, refusal, type Subject, subnets } from './subject.ts';

export const autoMode = (isOn: boolean): Partial<CreateClusterCommandInput> => ({
  accessConfig: { authenticationMode: 'API' },
  bootstrapSelfManagedAddons: false,
  computeConfig: {
    enabled: isOn,
    ...(isOn && { nodePools: ['general-purpose', 'system'], nodeRoleArn: nodeRole }),
  },
  kubernetesNetworkConfig: { elasticLoadBalancing: { enabled: isOn } },
  storageConfig: { blockStorage: { enabled: isOn } },
});

export const clusters = ({ eks, emulator, request, create, active }: Subject) => {
  const described = async (name: string) => (await eks().send(new DescribeClusterCommand({ name }))).cluster;

  describe('creating a cluster', () => {
    it('answers at once with a cluster that is CREATING and has no endpoint', async () => {
      const { cluster } = await eks().send(new CreateClusterCommand(request({ tags: { team: 'a' } })));

      expect(cluster).toMatchObject({
        status: 'CREATING',
        version: '1.33',
        roleArn: clusterRole,
        tags: { team: 'a' },
        health: { issues: [] },
        resourcesVpcConfig: { subnetIds: subnets, endpointPublicAccess: true, vpcId: expect.any(String) },
        accessConfig: { authenticationMode: 'CONFIG_MAP', bootstrapClusterCreatorAdminPermissions: true },
      });
      expect(cluster?.arn).toBe(`arn:aws:eks:us-east-1:123456789012:cluster/${cluster?.name}`);
      expect(cluster?.endpoint).toBeUndefined();
      expect(cluster?.certificateAuthority?.data).toBeUndefined();
      expect(Math.abs(Date.now() - Number(cluster?.createdAt))).toBeLessThan(60_000);
    });

    it('has an endpoint and a certificate authority once it is ACTIVE', async () => {
      const cluster = await described(await active());

      expect(cluster?.endpoint).toMatch(/^https:\/\/[0-9A-F]{32}\.gr7\.us-east-1\.eks\.amazonaws\.com$/);
      expect(Buffer.from(cluster?.certificateAuthority?.data ?? '', 'base64').toString()).toMatch(
        /^-----BEGIN CERTIFICATE-----\n[\s\S]+-----END CERTIFICATE-----\n$/,
      );
    });

    it('creates a cluster with Auto Mode', async () => {
      const cluster = await described(await active(autoMode(true)));

      expect(cluster).toMatchObject({
        computeConfig: { enabled: true, nodePools: ['general-purpose', 'system'], nodeRoleArn: nodeRole },
        kubernetesNetworkConfig: { elasticLoadBalancing: { enabled: true } },
        storageConfig: { blockStorage: { enabled: true } },
      });
    });

    it('creates nothing more when the same is asked again', async () => {
      const input = request({ clientRequestToken: randomUUID(), tags: { a: '1', b: '2' } });
      const first = await eks().send(new CreateClusterCommand(input));

      const again = await eks().send(new CreateClusterCommand({ ...input, tags: { b: '2', a: '1' } }));

      expect(again.cluster?.createdAt).toEqual(first.cluster?.createdAt);
    });

    it('refuses something else with the same client request token', async () => {
      const input = request({ clientRequestToken: randomUUID() });
      await eks().send(new CreateClusterCommand(input));

      const error = await refusal(eks().send(new CreateClusterCommand({ ...input, version: '1.32' })));

      expect(error.name).toBe('InvalidParameterException');
    });

    it('refuses a name that a cluster has', async () => {
      const name = await create();

      const error = await refusal(create({ name }));

      expect(error).toMatchObject({
        name: 'ResourceInUseException',
        message: `Cluster already exists with name: ${name}`,
        clusterName: name,
        $metadata: { httpStatusCode: 409 },
      });
    });

    it.each<[string, Partial<CreateClusterCommandInput>]>([
      ['a name that begins with -', { name: '-a' }],
      ['a name of 101 characters', { name: 'a'.repeat(101) }],
      ['a version that EKS does not have', { version: '1.99' }],
      ['a version out of support', { version: '1.29' }],
      ['one subnet', { resourcesVpcConfig: { subnetIds: subnets.slice(0, 1) } }],
      [
        'two subnets of one zone',
        { resourcesVpcConfig: { subnetIds: [subnets[0] ?? '', subnets[0] ?? ''] } },
      ],
      [
        'subnets of two VPCs',
        { resourcesVpcConfig: { subnetIds: [subnets[0] ?? '', 'subnet-0b2c3d4e5f6071821'] } },
      ],
      ['an unknown subnet', { resourcesVpcConfig: { subnetIds: [...subnets, 'subnet-0'] } }],
      [
        'six security groups',
        { resourcesVpcConfig: { subnetIds: subnets, securityGroupIds: Array<string>(6).fill('sg-0') } },
      ],
      [
        'no endpoint access at all',
        {
          resourcesVpcConfig: {
            ...{ subnetIds: subnets, endpointPublicAccess: false, endpointPrivateAccess: false },
          },
        },
      ],
      [
        'CONFIG_MAP without an administrator',
        {
          accessConfig: { authenticationMode: 'CONFIG_MAP', bootstrapClusterCreatorAdminPermissions: false },
        },
      ],
      ['Auto Mode without load balancing', { ...autoMode(true), kubernetesNetworkConfig: {} }],
      [
        'Auto Mode off with block storage on',
        { ...autoMode(false), ...{ storageConfig: { blockStorage: { enabled: true } } } },
      ],
      ['Auto Mode with self-managed add-ons', { ...autoMode(true), bootstrapSelfManagedAddons: true }],
      ['Auto Mode with CONFIG_MAP', { ...autoMode(true), accessConfig: {} }],
      [
        'node pools without a node role',
        { ...autoMode(true), computeConfig: { enabled: true, nodePools: ['system'] } },
      ],
      [
        'a node role without node pools',
        { ...autoMode(true), computeConfig: { enabled: true, nodeRoleArn: nodeRole } },
      ],
      ['51 tags', { tags: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`t${n}`, ''])) }],
      ['a reserved tag key', { tags: { 'aws:x': 'y' } }],
    ])('refuses %s', async (_, input) => {
      const error = await refusal(create(input));

      expect(error).toMatchObject({ name: 'InvalidParameterException', $metadata: { httpStatusCode: 400 } });
    });

    it('refuses a zone that cannot have a control plane, and names the others', async () => {
      const subnetIds = [...subnets, 'subnet-0a1b2c3d4e5f6071c'];

      const error = await refusal(create({ resourcesVpcConfig: { subnetIds } }));

      expect(error).toMatchObject({
        name: 'UnsupportedAvailabilityZoneException',
        validZones: expect.arrayContaining(['us-east-1a', 'us-east-1f']),
      });
    });

    it('refuses a role that does not exist', async () => {
      emulator().faults({ missingRoles: ['gone'] });

      const error = await refusal(create({ roleArn: 'arn:aws:iam::123456789012:role/gone' }));

      emulator().faults({ missingRoles: [] });
      expect(error).toMatchObject({
        name: 'InvalidParameterException',
        message: expect.stringContaining('gone'),
      });
    });

    it('refuses more clusters than the region can have', async () => {
      emulator().faults({ limits: { clusters: 0, nodeGroups: 30 } });

      const error = await refusal(create());

      emulator().faults({ limits: { clusters: 100, nodeGroups: 30 } });
      expect(error.name).toBe('ResourceLimitExceededException');
    });
  });

  describe('the versions of clusters', () => {
    it('lists the supported versions with their dates, one of them the default', async () => {
      const { clusterVersions = [] } = await eks().send(new DescribeClusterVersionsCommand({}));

      expect(
        clusterVersions.map((one) => [one.clusterVersion, one.versionStatus, one.defaultVersion]),
      ).toEqual([
        ['1.30', 'EXTENDED_SUPPORT', false],
        ['1.31', 'EXTENDED_SUPPORT', false],
        ['1.32', 'STANDARD_SUPPORT', false],
        ['1.33', 'STANDARD_SUPPORT', true],
        ['1.34', 'STANDARD_SUPPORT', false],
      ]);
      for (const { versionStatus, endOfStandardSupportDate, endOfExtendedSupportDate } of clusterVersions) {
        expect(Number(endOfStandardSupportDate) > Date.now()).toBe(versionStatus === 'STANDARD_SUPPORT');
        expect(Number(endOfExtendedSupportDate)).toBeGreaterThan(Date.now());
      }
    });

    it('finds versions by name, by status and by default, also those out of support', async () => {
      const found = async (input: DescribeClusterVersionsCommandInput) => {
        const { clusterVersions = [] } = await eks().send(new DescribeClusterVersionsCommand(input));
        return clusterVersions.map(({ clusterVersion }) => clusterVersion);
      };

      expect(await found({ clusterVersions: ['1.32'] })).toEqual(['1.32']);
      expect(await found({ clusterVersions: ['1.32', '1.29'] })).toEqual(['1.29', '1.32']);
      expect(await found({ versionStatus: 'EXTENDED_SUPPORT' })).toEqual(['1.30', '1.31']);
      expect(await found({ defaultOnly: true })).toEqual(['1.33']);
      expect(await found({ includeAll: true })).toContain('1.29');
    });
  });

  describe('listing clusters', () => {
    it('lists the names of one region in pages of at most 100', async () => {
      const region = 'eu-west-1';
      const name = (index: number) => `many-${String(index).padStart(3, '0')}`;
      const names = emulator().populate({ region, count: 120, name, tags: () => ({}) });
      const client = new EKSClient(clientConfig(emulator().url, region));

      const pages: string[][] = [];
      for await (const { clusters = [] } of paginateListClusters({ client }, {})) pages.push(clusters);

      client.destroy();
      expect(pages.map((page) => page.length)).toEqual([100, 20]);
      expect(pages.flat()).toEqual(names);
    });

    it('refuses a token that it did not give', async () => {
      const error = await refusal(eks().send(new ListClustersCommand({ nextToken: 'x' })));

      expect(error.name).toBe('InvalidParameterException');
    });
  });

  describe('deleting a cluster', () => {
    it('shows it as DELETING, and does not know it afterwards', async () => {
      const name = await active();

      const { cluster } = await eks().send(new DeleteClusterCommand({ name }));
      emulator().settle(name);

      expect(cluster?.status).toBe('DELETING');
      expect(await codes(described(name))).toEqual(['ResourceNotFoundException']);
    });

    it('can use the name again afterwards', async () => {
      const name = await active();
      await eks().send(new DeleteClusterCommand({ name }));
      emulator().settle(name);

      await expect(create({ name })).resolves.toBe(name);
    });

    it('refuses an unknown name', async () => {
      const error = await refusal(eks().send(new DeleteClusterCommand({ name: 'nobody' })));

      expect(error).toMatchObject({
        name: 'ResourceNotFoundException',
        message: 'No cluster found for name: nobody.',
        $metadata: { httpStatusCode: 404 },
      });
    });

    it('refuses while the cluster is CREATING, in either way', async () => {
      const name = await create();
      const first = await codes(eks().send(new DeleteClusterCommand({ name })));
      emulator().faults({ deleteWhile: { creating: 'InvalidRequestException', deleting: 'accepted' } });

      const second = await codes(eks().send(new DeleteClusterCommand({ name })));

      emulator().faults({
        deleteWhile: { creating: 'ResourceInUseException', deleting: 'ResourceInUseException' },
      });
      expect([...first, ...second]).toEqual(['ResourceInUseException', 'InvalidRequestException']);
    });

    it('refuses a protected cluster', async () => {
      const name = await active({ deletionProtection: true });

      expect(await codes(eks().send(new DeleteClusterCommand({ name })))).toEqual([
        'InvalidRequestException',
      ]);
    });

    it('keeps the name of a FAILED cluster until it is deleted', async () => {
      const name = await create();
      emulator().failCluster(name, { code: 'InsufficientFreeAddresses', message: 'no addresses' });

      expect(await described(name)).toMatchObject({
        status: 'FAILED',
        health: { issues: [{ code: 'InsufficientFreeAddresses', message: 'no addresses' }] },
      });
      expect(await codes(create({ name }))).toEqual(['ResourceInUseException']);
      await eks().send(new DeleteClusterCommand({ name }));
      emulator().settle(name);
      await create({ name });
    });
  });
};
