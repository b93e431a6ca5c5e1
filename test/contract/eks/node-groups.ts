import { randomUUID } from 'node:crypto';
import {
  CreateNodegroupCommand,
  type CreateNodegroupCommandInput,
  DeleteClusterCommand,
  DeleteNodegroupCommand,
  DescribeNodegroupCommand,
  DescribeUpdateCommand,
  ListNodegroupsCommand,
  UpdateNodegroupConfigCommand,
} from '@aws-sdk/client-eks';
import { describe, expect, it } from 'vitest';
import { codes, nodeRole, refusal, type Subject, subnets } from './subject.ts';

export const nodeGroups = ({ eks, emulator, create, active, nodeGroup, withWorkers }: Subject) => {
  const nodegroupName = 'workers';
  const add = (clusterName: string, input?: Partial<CreateNodegroupCommandInput>) =>
    eks().send(new CreateNodegroupCommand(nodeGroup(clusterName, input)));
  const described = async (clusterName: string) =>
    (await eks().send(new DescribeNodegroupCommand({ clusterName, nodegroupName }))).nodegroup;
  const remove = (clusterName: string) =>
    eks().send(new DeleteNodegroupCommand({ clusterName, nodegroupName }));
  const settled = async (clusterName: string) => {
    emulator().settle(clusterName, nodegroupName);
    return described(clusterName);
  };

  describe('creating a node group', () => {
    it('answers at once, and reaches ACTIVE', async () => {
      const clusterName = await active();

      const { nodegroup } = await add(clusterName, { tags: { team: 'a' } });

      expect(nodegroup).toMatchObject({
        ...{ clusterName, nodegroupName, nodeRole, subnets, status: 'CREATING', version: '1.33' },
        scalingConfig: { minSize: 2, maxSize: 2, desiredSize: 2 },
        ...{ diskSize: 20, instanceTypes: ['t3.medium'], tags: { team: 'a' } },
      });
      expect(nodegroup?.resources?.autoScalingGroups).toBeUndefined();
      const created = await settled(clusterName);
      expect(created?.status).toBe('ACTIVE');
      expect(created?.resources?.autoScalingGroups).toHaveLength(1);
      const { nodegroups } = await eks().send(new ListNodegroupsCommand({ clusterName }));
      expect(nodegroups).toEqual(['workers']);
    });

    it('refuses while the cluster is not ACTIVE', async () => {
      const clusterName = await create();

      expect(await refusal(add(clusterName))).toMatchObject({
        name: 'InvalidRequestException',
        message: `Cluster '${clusterName}' is not in ACTIVE status`,
      });
    });

    it('refuses a name that a node group of the cluster has', async () => {
      const clusterName = await withWorkers();

      expect(await codes(add(clusterName))).toEqual(['ResourceInUseException']);
    });

    it('creates nothing more when the same is asked again, and refuses something else', async () => {
      const clusterName = await active();
      const clientRequestToken = randomUUID();
      const first = await add(clusterName, { clientRequestToken });

      const again = await add(clusterName, { clientRequestToken });

      expect(again.nodegroup?.nodegroupArn).toBe(first.nodegroup?.nodegroupArn);
      expect(await codes(add(clusterName, { clientRequestToken, diskSize: 30 }))).toEqual([
        'InvalidParameterException',
      ]);
    });

    it('refuses what it cannot create', async () => {
      const clusterName = await active();

      const refused = await codes(
        add(clusterName, { scalingConfig: { minSize: 1, maxSize: 1 } }),
        add(clusterName, { scalingConfig: { minSize: 3, maxSize: 2, desiredSize: 2 } }),
        add(clusterName, { subnets: [] }),
        add(clusterName, { subnets: ['subnet-0'] }),
        add(clusterName, { subnets: ['subnet-0b2c3d4e5f6071820'] }),
        add(clusterName, { instanceTypes: Array<string>(21).fill('t3.medium') }),
        add('nobody'),
      );

      expect(refused).toEqual([
        ...Array<string>(6).fill('InvalidParameterException'),
        'ResourceNotFoundException',
      ]);
    });

    it.each(['CREATE_FAILED', 'DEGRADED'] as const)('can end in %s, with the issue', async (status) => {
      const clusterName = await active();
      const issue = { code: 'NodeCreationFailure', message: 'no node joined', resourceIds: ['i-0'] };
      emulator().faults({ nodeGroupCreationFails: { status, issue } });

      await add(clusterName);

      emulator().faults({ nodeGroupCreationFails: undefined });
      expect(await settled(clusterName)).toMatchObject({ status, health: { issues: [issue] } });
    });
  });

  describe('the health of a node group', () => {
    it('is DEGRADED with issues, and ACTIVE again without', async () => {
      const clusterName = await withWorkers();

      emulator().nodeGroupIssues(clusterName, nodegroupName, [{ code: 'AccessDenied', message: 'denied' }]);
      const degraded = await described(clusterName);
      emulator().nodeGroupIssues(clusterName, nodegroupName, []);

      expect(degraded).toMatchObject({ status: 'DEGRADED', health: { issues: [{ code: 'AccessDenied' }] } });
      expect(await described(clusterName)).toMatchObject({ status: 'ACTIVE', health: { issues: [] } });
    });

    it('fails at once on demand', async () => {
      const clusterName = await active();
      await add(clusterName);

      emulator().failNodeGroup(clusterName, nodegroupName, {
        code: 'IamNodeRoleNotFound',
        message: 'no role',
      });

      expect((await described(clusterName))?.status).toBe('CREATE_FAILED');
      await remove(clusterName);
      expect(await codes(settled(clusterName))).toEqual(['ResourceNotFoundException']);
    });
  });

  describe('deleting node groups', () => {
    it('lets the cluster be deleted once its node groups are gone', async () => {
      const name = await withWorkers();
      const attached = await refusal(eks().send(new DeleteClusterCommand({ name })));
      const { nodegroup } = await remove(name);
      const deleting = await refusal(eks().send(new DeleteClusterCommand({ name })));
      emulator().settle(name, nodegroupName);

      await eks().send(new DeleteClusterCommand({ name }));
      emulator().settle(name);

      expect(nodegroup?.status).toBe('DELETING');
      for (const error of [attached, deleting]) {
        expect(error).toMatchObject({
          ...{ name: 'ResourceInUseException', message: 'Cluster has nodegroups attached' },
          ...{ clusterName: name, nodegroupName },
        });
      }
    });

    it('ends in DELETE_FAILED as often as asked, and then succeeds', async () => {
      const clusterName = await withWorkers();
      const issue = { code: 'Ec2SecurityGroupDeletionFailure', message: 'DependencyViolation' };
      emulator().failDeletions(clusterName, nodegroupName, { times: 1, issue });

      await remove(clusterName);
      const failed = await settled(clusterName);
      await remove(clusterName);
      const gone = await codes(settled(clusterName));

      expect(failed).toMatchObject({ status: 'DELETE_FAILED', health: { issues: [issue] } });
      expect(gone).toEqual(['ResourceNotFoundException']);
    });

    it('refuses while the node group is CREATING, and a second time where that is refused', async () => {
      const clusterName = await active();
      await add(clusterName);
      const creating = await codes(remove(clusterName));
      emulator().settle(clusterName, nodegroupName);
      await remove(clusterName);

      expect([...creating, ...(await codes(remove(clusterName)))]).toEqual([
        'ResourceInUseException',
        'ResourceInUseException',
      ]);
    });

    it('can be done by somebody else', async () => {
      const clusterName = await withWorkers();

      emulator().removeNodeGroup(clusterName, nodegroupName);

      expect((await described(clusterName))?.status).toBe('DELETING');
      emulator().settle(clusterName, nodegroupName);
      expect((await eks().send(new ListNodegroupsCommand({ clusterName }))).nodegroups).toEqual([]);
    });
  });

  it('changes the size and labels of a node group by an update', async () => {
    const clusterName = await withWorkers();
    const scalingConfig = { minSize: 1, maxSize: 3, desiredSize: 3 };
    const labels = { addOrUpdateLabels: { pool: 'b' } };

    const { update } = await eks().send(
      new UpdateNodegroupConfigCommand({ clusterName, nodegroupName, scalingConfig, labels }),
    );
    const updating = await described(clusterName);
    emulator().settle(clusterName, nodegroupName);

    expect(update).toMatchObject({ status: 'InProgress', type: 'ConfigUpdate' });
    expect(updating).toMatchObject({ status: 'UPDATING', scalingConfig: { desiredSize: 2 } });
    expect(await described(clusterName)).toMatchObject({ scalingConfig, labels: { pool: 'b' } });
    const asked = { name: clusterName, nodegroupName, updateId: update?.id };
    const ended = await eks().send(new DescribeUpdateCommand(asked));
    expect(ended.update?.status).toBe('Successful');
  });
};
