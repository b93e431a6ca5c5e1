import { DescribeClusterCommand, EKSClient, ListClustersCommand } from '@aws-sdk/client-eks';
import { describe, expect, it } from 'vitest';
import { clientConfig } from '../../../local/emulators/client-config.ts';
import { subnetsOf } from '../../../local/emulators/ec2/actions/network.ts';
import type { Transition } from '../../../local/emulators/eks/account.ts';
import { startEksEmulator } from '../../../local/emulators/eks/start-eks-emulator.ts';
import { codes, refusal, type Subject } from './subject.ts';

export const faults = ({ eks, emulator, create, active }: Subject) =>
  describe('faults', () => {
    const describeCluster = (name: string) => eks().send(new DescribeClusterCommand({ name }));
    const list = () => eks().send(new ListClustersCommand({}));

    it('ends the creation of a cluster in FAILED, with the issue', async () => {
      const issue = { code: 'ResourceLimitExceeded', message: 'too many', resourceIds: ['vpc-0'] };
      emulator().faults({ clusterCreationFails: issue });

      const name = await create();

      emulator().faults({ clusterCreationFails: undefined });
      emulator().settle(name);
      expect((await describeCluster(name)).cluster).toMatchObject({
        status: 'FAILED',
        health: { issues: [issue] },
      });
    });

    it('passes through PENDING and UPDATING before the first ACTIVE, without an endpoint', async () => {
      emulator().faults({ creationStatuses: ['PENDING', 'CREATING', 'UPDATING'] });

      const name = await create();

      emulator().faults({ creationStatuses: ['CREATING'] });
      const seen: unknown[] = [];
      for (let count = 0; count < 4; count++) {
        const { cluster } = await describeCluster(name);
        seen.push([cluster?.status, cluster?.endpoint !== undefined]);
        emulator().settle(name);
      }
      expect(seen).toEqual([
        ['PENDING', false],
        ['CREATING', false],
        ['UPDATING', false],
        ['ACTIVE', true],
      ]);
    });

    it('does not find a cluster right after its creation', async () => {
      emulator().faults({ notFoundMs: 3_600_000 });

      const name = await create();
      const error = await refusal(describeCluster(name));
      const { clusters } = await list();
      emulator().faults({ notFoundMs: 0 });

      expect(error.name).toBe('ResourceNotFoundException');
      expect(clusters).not.toContain(name);
      expect((await describeCluster(name)).cluster?.name).toBe(name);
    });

    it('throttles the next calls', async () => {
      emulator().throttleNext(2);

      const error = await refusal(list());

      expect(error).toMatchObject({ name: 'ThrottlingException', $metadata: { httpStatusCode: 429 } });
      expect(await codes(list())).toEqual(['ThrottlingException']);
      await list();
    });

    it('throttles calls with a probability', async () => {
      emulator().faults({ throttle: 1 });
      const refused = await codes(list(), list());

      emulator().faults({ throttle: 0 });

      expect(refused).toEqual(['ThrottlingException', 'ThrottlingException']);
      await list();
    });

    it.each([
      ['AccessDeniedException', 403],
      ['ServerException', 500],
      ['ServiceUnavailableException', 503],
    ] as const)('refuses an action with %s', async (code, httpStatusCode) => {
      emulator().faults({ refuse: { ListClusters: code } });

      const error = await refusal(list());

      emulator().faults({ refuse: {} });
      expect(error).toMatchObject({ name: code, $metadata: { httpStatusCode } });
    });

    it('shows health issues of a cluster that stays ACTIVE', async () => {
      const name = await active();

      emulator().clusterIssues(name, [{ code: 'ClusterUnreachable', message: 'unreachable' }]);

      expect((await describeCluster(name)).cluster).toMatchObject({
        status: 'ACTIVE',
        health: { issues: [{ code: 'ClusterUnreachable', message: 'unreachable' }] },
      });
    });

    it('keeps a cluster in its status', async () => {
      const name = await create();

      emulator().stall(name);

      emulator().settle(name);
      expect((await describeCluster(name)).cluster?.status).toBe('CREATING');
    });

    it('removes a cluster and its node groups at once', async () => {
      const name = await active();

      emulator().removeCluster(name);

      expect(await codes(describeCluster(name))).toEqual(['ResourceNotFoundException']);
    });
  });

/** An emulator of its own, whose calls and transitions are counted. */
export const counting = () =>
  it('counts calls, tells transitions and shows the true state', async () => {
    const transitions: Transition[] = [];
    await using emulator = await startEksEmulator({
      subnets: subnetsOf,
      onTransition: (transition) => transitions.push(transition),
    });
    const [name = ''] = emulator.populate({
      ...{ region: 'us-east-1', count: 1, name: () => 'c-1', tags: () => ({ team: 'a' }) },
      nodeGroups: ['workers'],
    });
    const client = new EKSClient(clientConfig(emulator.url));
    await client.send(new DescribeClusterCommand({ name }));
    client.destroy();

    emulator.removeNodeGroup(name, 'workers');

    expect(emulator.calls()).toEqual({ DescribeCluster: 1 });
    expect(transitions).toMatchObject([{ cluster: 'c-1', nodeGroup: 'workers', status: 'DELETING' }]);
    expect(emulator.clusters()).toMatchObject([
      {
        ...{ name: 'c-1', region: 'us-east-1', status: 'ACTIVE', tags: { team: 'a' } },
        nodeGroups: [{ name: 'workers', status: 'DELETING' }],
      },
    ]);
  });
