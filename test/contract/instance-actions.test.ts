import { EC2Client, ModifyInstanceAttributeCommand } from '@aws-sdk/client-ec2';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { startEc2Simulator } from '../../local/emulators/ec2/start-ec2-simulator.ts';
import { startServiceQuotas } from '../../local/emulators/service-quotas.ts';
import { startSsm } from '../../local/emulators/ssm.ts';
import {
  FailedPreconditionError,
  NotFoundError,
  PermissionDeniedError,
  ThrottledError,
} from '../../shared/core/errors.ts';
import { ec2InstanceActions } from '../../shared/service-types/vm/ec2/instance-actions.ts';
import { ec2Offerings } from '../../shared/service-types/vm/ec2/offerings.ts';
import { awsVcpuQuota } from '../../shared/service-types/vm/ec2/vcpu-quota.ts';
import { planLaunch } from '../../shared/service-types/vm/plan/plan-launch.ts';
import { Provisioning } from '../../shared/service-types/vm/provisioning.ts';
import { memoryEc2 } from '../fakes/memory-ec2.ts';
import { launchPlan } from '../fixtures/launches.ts';
import { tagKeys } from '../fixtures/resource-messages.ts';
import { sshPublicKey, vmSpec } from '../fixtures/vm-spec.ts';
import { instanceActionsContract } from './instance-actions.ts';

const region = 'us-east-1';
let vms = 0;

/** The DCM id of a VM that no other test has. */
const nextVm = (): string => {
  vms += 1;
  return `vm-${vms}`;
};

const planned = () => {
  const dcmId = nextVm();
  return launchPlan({
    placements: [
      { instanceType: 't3.small', zone: 'us-east-1a' },
      { instanceType: 't3.small', zone: 'us-east-1b' },
    ],
    tags: { 'managed-by': 'dcm', 'dcm-instance-id': dcmId },
  });
};

instanceActionsContract('in memory', async () => {
  const ec2 = memoryEc2(Date.now);
  return {
    actions: ec2,
    plan: planned(),
    living: async (dcmId) => ec2.living().filter(({ tags }) => tags['dcm-instance-id'] === dcmId).length,
    until: async (instanceId, states) => expect(states).toContain(ec2.instances.get(instanceId)?.state),
    protect: async (instanceId) => void ec2.isProtected.add(instanceId),
    fill: async (zone) => {
      ec2.isFull = (placement) => placement.zone === zone;
    },
  };
});

const simulator = await startEc2Simulator({
  emit: () => undefined,
  dwellMs: { pending: 1, stopping: 1, 'shutting-down': 1 },
});
const ssm = await startSsm();
const quotas = await startServiceQuotas({ vcpus: 32 });
const ec2 = new EC2Client(clientConfig(simulator.url));
for (const [name, value] of Object.entries({
  AWS_ENDPOINT_URL_EC2: simulator.url,
  AWS_ENDPOINT_URL_SSM: ssm.url,
  AWS_ENDPOINT_URL_SERVICE_QUOTAS: quotas.url,
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
})) {
  vi.stubEnv(name, value);
}
afterEach(() => simulator.faults({ throttle: 0, noCapacity: [], refuse: {} }));
afterAll(async () => {
  ec2.destroy();
  vi.unstubAllEnvs();
  for (const part of [simulator, ssm, quotas]) await part[Symbol.asyncDispose]();
});

const stateOf = (instanceId: string) =>
  simulator.instances().find((one) => one.instanceId === instanceId)?.state;

const livingOf = (dcmId: string) =>
  simulator
    .instances()
    .filter(({ tags, state }) => tags['dcm-instance-id'] === dcmId && !/shutting|terminated/.test(state));

instanceActionsContract('EC2 (simulated)', async () => ({
  actions: ec2InstanceActions(),
  plan: planned(),
  living: async (dcmId) => livingOf(dcmId).length,
  until: async (instanceId, states) => {
    const [last] = states.slice(-1); // EC2 does not stop an instance that is still pending
    await expect.poll(() => stateOf(instanceId)).toBe(last);
  },
  protect: async (InstanceId) => {
    const DisableApiTermination = { Value: true };
    await ec2.send(new ModifyInstanceAttributeCommand({ InstanceId, DisableApiTermination }));
  },
  fill: async (zone) => simulator.faults({ noCapacity: [{ zone }] }),
}));

const makePlan = (spec: Parameters<typeof vmSpec>[0], provisioning: Partial<Provisioning> = {}) =>
  planLaunch({
    offerings: ec2Offerings(),
    provisioning: { ...Provisioning.parse({ regions: { [region]: {} } }), ...provisioning },
    livingVms: async () => 0,
    provider: 'ec2-sp',
    tagKeys,
  })(vmSpec(spec), { dcmId: nextVm(), region, requestId: 'request-1' });

const callsOf = (action: string) => simulator.calls()[action] ?? 0;

describe('EC2', () => {
  it.each([
    'amazon-linux-2023',
    'centos-stream-9',
    'debian-12',
    'fedora',
    'rhel-9',
    'ubuntu-22.04',
    'ubuntu-24.04',
    'windows-server-2022',
    undefined,
  ])('launches what is planned for %s', async (guestOs) => {
    const plan = await makePlan({ guestOs, vcpus: 2, memoryMib: 4096, labels: { tier: 'web' } });
    const actions = ec2InstanceActions();

    await actions.dryRun(plan, plan.placements[0]);
    const { instanceId } = await actions.run(plan, plan.placements[0], `token-${vms}`);

    expect(simulator.instances().find((one) => one.instanceId === instanceId)?.tags).toMatchObject({
      tier: 'web',
      'managed-by': 'dcm',
      'dcm-provider': 'ec2-sp',
      'dcm-request-id': 'request-1',
    });
  });

  it('launches a VM with disks and a key, on either architecture', async () => {
    for (const families of [['t3'], ['t4g']]) {
      const disks = [
        { name: 'boot', gib: 20 },
        { name: 'data', gib: 5 },
      ];
      const plan = await makePlan({ guestOs: 'ubuntu-24.04', sshPublicKey, disks }, { families });

      await ec2InstanceActions().run(plan, plan.placements[0], `token-${vms}`);

      expect(livingOf(plan.tags['dcm-instance-id'] ?? '')).toHaveLength(1);
    }
  });

  it('that throttles half of the calls launches one VM for each plan (C 44)', async () => {
    simulator.faults({ throttle: 0.5 });

    const plans = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const plan = await makePlan({ guestOs: 'rhel-9' });
        await ec2InstanceActions().run(plan, plan.placements[0], plan.tags['dcm-instance-id'] ?? '');
        return plan;
      }),
    );

    expect(plans.map(({ tags }) => livingOf(tags['dcm-instance-id'] ?? '').length)).toEqual(
      plans.map(() => 1),
    );
  });

  it('that throttles every call is asked no longer than it takes to give up (C 44)', async () => {
    simulator.faults({ throttle: 1 });

    await expect(ec2InstanceActions().start({ region }, 'i-0123456789abcdef0')).rejects.toThrow(
      ThrottledError,
    );
  });

  it('without capacity is asked once, though it answers with a 500', async () => {
    simulator.faults({ noCapacity: [{ zone: 'us-east-1a' }] });
    const plan = planned();
    const before = callsOf('RunInstances');

    await expect(ec2InstanceActions().run(plan, plan.placements[0], `token-${vms}`)).rejects.toThrow();

    expect(callsOf('RunInstances') - before).toBe(1);
  });

  it('that fails is asked again for the same instance', async () => {
    simulator.faults({ refuse: { RunInstances: 'InternalError' } });
    const plan = planned();
    const before = callsOf('RunInstances');

    const running = ec2InstanceActions().run(plan, plan.placements[0], `token-${vms}`);
    await expect.poll(() => callsOf('RunInstances')).toBeGreaterThan(before);
    simulator.faults({ refuse: {} });
    await running;

    expect(livingOf(`vm-${vms}`)).toHaveLength(1);
  });

  it('that does not permit it says so without its encoded message (C 14)', async () => {
    simulator.faults({ refuse: { RunInstances: 'UnauthorizedOperation' } });
    const plan = planned();

    const dryRunning = ec2InstanceActions().dryRun(plan, plan.placements[0]);

    await expect(dryRunning).rejects.toThrow(PermissionDeniedError);
    await expect(dryRunning).rejects.not.toThrow('bm90IGEgcmVhbCBvbmU');
  });

  it('refuses the same token for another plan: both cannot be the VM', async () => {
    const plan = planned();
    const actions = ec2InstanceActions();
    await actions.run(plan, plan.placements[0], `token-${vms}`);

    const other = actions.run(plan, plan.placements[1] ?? plan.placements[0], `token-${vms}`);

    await expect(other).rejects.toThrow(FailedPreconditionError);
  });

  it.each(['start', 'stop', 'reboot'] as const)(
    'has no instance to %s where there is none',
    async (action) => {
      await expect(ec2InstanceActions()[action]({ region }, 'i-0123456789abcdef0')).rejects.toThrow(
        NotFoundError,
      );
    },
  );

  it('tells how much of the account’s quota is used', async () => {
    const { limit, used } = await awsVcpuQuota().quota({ region }, 'on-demand');

    expect(limit).toBe(32);
    expect(used).toBeGreaterThanOrEqual(0);
  });
});
