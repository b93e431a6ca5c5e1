import {
  AssociateAccessPolicyCommand,
  CreateAccessEntryCommand,
  DeleteAccessEntryCommand,
  DescribeAccessEntryCommand,
  DescribeClusterCommand,
  DescribeNodegroupCommand,
  DisassociateAccessPolicyCommand,
  ListAccessEntriesCommand,
  ListAccessPoliciesCommand,
  ListAssociatedAccessPoliciesCommand,
  ListTagsForResourceCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-eks';
import { describe, expect, it } from 'vitest';
import { autoMode } from './clusters.ts';
import { codes, nodeRole, type Subject } from './subject.ts';

const principalArn = 'arn:aws:iam::123456789012:role/team/admin';
const policyArn = 'arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy';
const accessScope = { type: 'cluster' as const };

export const access = ({ eks, create, active, withWorkers }: Subject) => {
  const api = { accessConfig: { authenticationMode: 'API' as const } };
  const add = (clusterName: string) =>
    eks().send(new CreateAccessEntryCommand({ clusterName, principalArn }));
  const principals = async (clusterName: string) =>
    (await eks().send(new ListAccessEntriesCommand({ clusterName }))).accessEntries;

  describe('access entries', () => {
    it('gives a role access to a cluster by a policy', async () => {
      const clusterName = await active(api);

      const { accessEntry } = await add(clusterName);
      await eks().send(
        new AssociateAccessPolicyCommand({ clusterName, principalArn, policyArn, accessScope }),
      );

      expect(accessEntry).toMatchObject({
        ...{ clusterName, principalArn, type: 'STANDARD' },
        username: 'arn:aws:sts::123456789012:assumed-role/admin/{{SessionName}}',
        accessEntryArn: expect.stringMatching(
          `^arn:aws:eks:us-east-1:123456789012:access-entry/${clusterName}/role/123456789012/admin/[0-9a-f-]{36}$`,
        ),
      });
      const asked = { clusterName, principalArn };
      const { associatedAccessPolicies } = await eks().send(new ListAssociatedAccessPoliciesCommand(asked));
      expect(associatedAccessPolicies).toMatchObject([{ policyArn, accessScope: { type: 'cluster' } }]);
      expect((await eks().send(new DescribeAccessEntryCommand(asked))).accessEntry).toEqual(accessEntry);
    });

    it('refuses a second entry of a principal, an unknown policy and an unknown principal', async () => {
      const clusterName = await active(api);
      await add(clusterName);
      const associate = (input: object) =>
        eks().send(
          new AssociateAccessPolicyCommand({ clusterName, principalArn, policyArn, accessScope, ...input }),
        );

      const refused = await codes(
        add(clusterName),
        associate({ policyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' }),
        associate({ principalArn: `${principalArn}s` }),
        associate({ accessScope: { type: 'namespace' } }),
      );

      expect(refused).toEqual([
        'ResourceInUseException',
        'InvalidParameterException',
        'ResourceNotFoundException',
        'InvalidParameterException',
      ]);
    });

    it('are refused by a cluster with CONFIG_MAP, and by one that is not ACTIVE', async () => {
      const withConfigMap = await active();
      const creating = await create(api);

      expect(await codes(add(withConfigMap), add(creating))).toEqual([
        'InvalidRequestException',
        'InvalidRequestException',
      ]);
    });

    it('are made for the creator and for the nodes of Auto Mode', async () => {
      const creator = 'arn:aws:iam::123456789012:user/local';
      const unprivileged = {
        authenticationMode: 'API' as const,
        bootstrapClusterCreatorAdminPermissions: false,
      };

      expect(await principals(await active(autoMode(true)))).toEqual([nodeRole, creator]);
      expect(await principals(await active({ accessConfig: unprivileged }))).toEqual([]);
    });

    it('are found by policy, and can lose it and be deleted', async () => {
      const clusterName = await active(api);
      await add(clusterName);
      const found = async () =>
        (await eks().send(new ListAccessEntriesCommand({ clusterName, associatedPolicyArn: policyArn })))
          .accessEntries;
      await eks().send(
        new AssociateAccessPolicyCommand({ clusterName, principalArn, policyArn, accessScope }),
      );
      const associated = await found();

      await eks().send(new DisassociateAccessPolicyCommand({ clusterName, principalArn, policyArn }));
      const disassociated = await found();
      await eks().send(new DeleteAccessEntryCommand({ clusterName, principalArn }));

      expect(associated).toContain(principalArn);
      expect(disassociated).not.toContain(principalArn);
      expect(await principals(clusterName)).not.toContain(principalArn);
    });

    it('lists the access policies', async () => {
      const { accessPolicies } = await eks().send(new ListAccessPoliciesCommand({}));

      expect(accessPolicies).toContainEqual({ name: 'AmazonEKSClusterAdminPolicy', arn: policyArn });
    });
  });

  describe('tags', () => {
    it('can be added and removed, of clusters and node groups', async () => {
      const name = await withWorkers();
      const asked = { clusterName: name, nodegroupName: 'workers' };
      const { cluster } = await eks().send(new DescribeClusterCommand({ name }));
      const { nodegroup } = await eks().send(new DescribeNodegroupCommand(asked));

      for (const resourceArn of [cluster?.arn, nodegroup?.nodegroupArn]) {
        await eks().send(new TagResourceCommand({ resourceArn, tags: { a: '1', b: '2', c: '3' } }));
        await eks().send(new UntagResourceCommand({ resourceArn, tagKeys: ['a', 'b'] }));
        await eks().send(new UntagResourceCommand({ resourceArn, tagKeys: ['unknown'] }));

        const { tags } = await eks().send(new ListTagsForResourceCommand({ resourceArn }));
        expect(tags).toEqual({ c: '3' });
      }
    });

    it('are at most 50, and of a known resource', async () => {
      const name = await create();
      const { cluster } = await eks().send(new DescribeClusterCommand({ name }));
      const many = (prefix: string) =>
        Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`${prefix}${index}`, '']));
      await eks().send(new TagResourceCommand({ resourceArn: cluster?.arn, tags: many('a') }));

      const refused = await codes(
        eks().send(new TagResourceCommand({ resourceArn: cluster?.arn, tags: many('b') })),
        eks().send(new TagResourceCommand({ resourceArn: `${cluster?.arn}x`, tags: {} })),
      );

      expect(refused).toEqual(['InvalidParameterException', 'ResourceNotFoundException']);
    });
  });
};
