import {
  CreateClusterCommand,
  CreateNodegroupCommand,
  DeleteClusterCommand,
  DeleteNodegroupCommand,
  EKSClient,
  waitUntilClusterActive,
  waitUntilClusterDeleted,
  waitUntilNodegroupActive,
  waitUntilNodegroupDeleted,
} from '@aws-sdk/client-eks';
import { expect, it } from 'vitest';
import { clientConfig } from '../../../local/emulators/client-config.ts';
import { subnetsOf } from '../../../local/emulators/ec2/actions/network.ts';
import { startEksEmulator } from '../../../local/emulators/eks/start-eks-emulator.ts';
import type { Subject } from './subject.ts';

const dwellMs = { creating: 150, nodeGroupCreating: 150, nodeGroupDeleting: 150, deleting: 150 };

/** The life of a cluster in real time, in an emulator of its own. */
export const waiters = ({ request, nodeGroup }: Subject) => {
  it("takes its time, and AWS's own waiters end with each status", async () => {
    await using emulator = await startEksEmulator({ subnets: subnetsOf, dwellMs });
    const client = new EKSClient(clientConfig(emulator.url));
    const waiting = { client, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.05 };
    const { name = '' } = request();
    const workers = { clusterName: name, nodegroupName: 'workers' };
    const startedAtMs = Date.now();

    await client.send(new CreateClusterCommand(request({ name })));
    await waitUntilClusterActive(waiting, { name });
    await client.send(new CreateNodegroupCommand(nodeGroup(name)));
    await waitUntilNodegroupActive(waiting, workers);
    await client.send(new DeleteNodegroupCommand(workers));
    await waitUntilNodegroupDeleted(waiting, workers);
    await client.send(new DeleteClusterCommand({ name }));
    await waitUntilClusterDeleted(waiting, { name });

    client.destroy();
    expect(Date.now() - startedAtMs).toBeGreaterThanOrEqual(4 * 150);
    expect(emulator.clusters()).toEqual([]);
  });

  it('ends the waiter of a cluster that becomes FAILED', async () => {
    const clusterCreationFails = { code: 'InternalFailure', message: 'failed' };
    await using emulator = await startEksEmulator({
      ...{ subnets: subnetsOf, dwellMs },
      faults: { clusterCreationFails },
    });
    const client = new EKSClient(clientConfig(emulator.url));
    const { cluster } = await client.send(new CreateClusterCommand(request()));

    const wait = { client, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.05 };
    await expect(waitUntilClusterActive(wait, { name: cluster?.name })).rejects.toThrow('FAILED');

    client.destroy();
  });
};
