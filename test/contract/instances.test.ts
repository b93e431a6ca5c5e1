import { EC2Client, RunInstancesCommand, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { startEc2Simulator } from '../../local/emulators/ec2/start-ec2-simulator.ts';
import { UnavailableError } from '../../shared/core/errors.ts';
import { ec2Instances } from '../../shared/service-types/vm/ec2/instances.ts';
import { described, scriptedInstances } from '../fakes/scripted-instances.ts';
import { instancesContract } from './instances.ts';

instancesContract('scripted', async () => {
  const instances = scriptedInstances();
  let launched = 0;
  return {
    instances,
    launch: async (tags) => {
      launched += 1;
      const instanceId = `i-${String(9_000 + launched).padStart(17, '0')}`;
      const place = { instanceType: 't3.micro', imageId: 'ami-0123456789abcdef0', zone: 'us-east-1a' };
      const addresses = { privateAddress: '172.31.16.1', publicAddress: '198.18.0.1' };
      instances.known.set(
        instanceId,
        described({ resourceId: instanceId, tags, launchedAtMs: Date.now(), ...place, ...addresses }),
      );
      return instanceId;
    },
    terminate: async (instanceId) => {
      const reason = {
        code: 'Client.UserInitiatedShutdown',
        message: 'Client.UserInitiatedShutdown: User initiated shutdown',
      };
      instances.known.set(instanceId, described({ resourceId: instanceId, state: 'terminated', reason }));
    },
    impair: async (instanceId, check) => void instances.failing[check].set(instanceId, Date.now()),
  };
});

const simulator = await startEc2Simulator({
  emit: () => undefined,
  dwellMs: { pending: 1, stopping: 1, 'shutting-down': 1 },
});
const ec2 = new EC2Client(clientConfig(simulator.url));
for (const [name, value] of Object.entries({
  AWS_ENDPOINT_URL_EC2: simulator.url,
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
})) {
  vi.stubEnv(name, value);
}
afterAll(async () => {
  ec2.destroy();
  vi.unstubAllEnvs();
  await simulator[Symbol.asyncDispose]();
});

const until = (instanceId: string, state: string) =>
  expect.poll(() => simulator.instances().find((one) => one.instanceId === instanceId)?.state).toBe(state);

instancesContract('EC2 (simulated)', async () => ({
  instances: ec2Instances(),
  launch: async (tags) => {
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    const { Instances } = await ec2.send(
      new RunInstancesCommand({
        ImageId: 'ami-0123456789abcdef0',
        InstanceType: 't3.micro',
        MinCount: 1,
        MaxCount: 1,
        ...(Tags.length > 0 && { TagSpecifications: [{ ResourceType: 'instance', Tags }] }),
      }),
    );
    const instanceId = Instances?.[0]?.InstanceId ?? '';
    await until(instanceId, 'running');
    return instanceId;
  },
  terminate: async (instanceId) => {
    await ec2.send(new TerminateInstancesCommand({ InstanceIds: [instanceId] }));
    await until(instanceId, 'terminated');
  },
  impair: simulator.impair,
}));

describe('EC2', () => {
  it('that throttles every call is unavailable, and the call can be tried again', async () => {
    simulator.faults({ throttle: 1 });

    const describing = ec2Instances().describe({ region: 'us-east-1' }, ['i-0123456789abcdef0'], 5_000);

    await expect(describing).rejects.toThrow(UnavailableError);
    simulator.faults({ throttle: 0 });
    expect(await ec2Instances().describe({ region: 'us-east-1' }, ['i-0123456789abcdef0'], 20_000)).toEqual(
      new Map(),
    );
  });
});
