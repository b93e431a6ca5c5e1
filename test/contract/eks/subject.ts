import { randomUUID } from 'node:crypto';
import {
  CreateClusterCommand,
  type CreateClusterCommandInput,
  CreateNodegroupCommand,
  type CreateNodegroupCommandInput,
  EKSClient,
  EKSServiceException,
} from '@aws-sdk/client-eks';
import { afterAll, beforeAll, expect } from 'vitest';
import { clientConfig } from '../../../local/emulators/client-config.ts';
import { subnetsOf } from '../../../local/emulators/ec2/actions/network.ts';
import { type EksEmulator, startEksEmulator } from '../../../local/emulators/eks/start-eks-emulator.ts';

export const clusterRole = 'arn:aws:iam::123456789012:role/cluster';
export const nodeRole = 'arn:aws:iam::123456789012:role/node';
export const subnets = ['subnet-0a1b2c3d4e5f60718', 'subnet-0a1b2c3d4e5f60719'];

export type Subject = ReturnType<typeof eksSubject>;

/**
 * An emulator, started before the tests of this block and disposed of after them, and ways to use it. Its statuses take as long as those of
 * AWS, so they end only where a test ends them.
 */
export const eksSubject = () => {
  let emulator: EksEmulator;
  let client: EKSClient;

  beforeAll(async () => {
    emulator = await startEksEmulator({ subnets: subnetsOf });
    client = new EKSClient({ ...clientConfig(emulator.url), maxAttempts: 1 });
  });
  afterAll(async () => {
    client.destroy();
    await emulator[Symbol.asyncDispose]();
  });

  const request = (input: Partial<CreateClusterCommandInput> = {}): CreateClusterCommandInput => ({
    name: `c-${randomUUID()}`,
    roleArn: clusterRole,
    resourcesVpcConfig: { subnetIds: subnets },
    ...input,
  });
  const create = async (input?: Partial<CreateClusterCommandInput>): Promise<string> => {
    const { cluster } = await client.send(new CreateClusterCommand(request(input)));
    return cluster?.name ?? '';
  };
  const nodeGroup = (clusterName: string, input: Partial<CreateNodegroupCommandInput> = {}) => ({
    ...{ clusterName, nodegroupName: 'workers', nodeRole, subnets },
    scalingConfig: { minSize: 2, maxSize: 2, desiredSize: 2 },
    ...input,
  });
  /** Creates a cluster that is ACTIVE. */
  const active = async (input?: Partial<CreateClusterCommandInput>): Promise<string> => {
    const name = await create(input);
    emulator.settle(name);
    return name;
  };

  return {
    eks: () => client,
    emulator: () => emulator,
    request,
    create,
    active,
    nodeGroup,
    /** Creates a cluster with the node group `workers`, both ACTIVE. */
    withWorkers: async (): Promise<string> => {
      const clusterName = await active();
      await client.send(new CreateNodegroupCommand(nodeGroup(clusterName)));
      emulator.settle(clusterName, 'workers');
      return clusterName;
    },
  };
};

/** The error that a call ends in. */
export const refusal = (call: Promise<unknown>): Promise<EKSServiceException> =>
  call.then(
    () => expect.fail('the call succeeded'),
    (error) => (error instanceof EKSServiceException ? error : expect.fail(String(error))),
  );
export const codes = async (...calls: Promise<unknown>[]): Promise<string[]> =>
  (await Promise.all(calls.map(refusal))).map(({ name }) => name);
