import type { RunInstancesCommandOutput } from '@aws-sdk/client-ec2';
import { UpstreamError } from '../domain/errors.ts';
import type { InstanceActions, LaunchedInstance } from '../ports/instance-actions.ts';
import { type Ec2Calls, ec2Calls } from './ec2-calls.ts';
import { codeOf } from './ec2-errors.ts';
import { isWindows } from './ec2-platform.ts';
import { runRequest } from './ec2-run-request.ts';

/** EC2's instances by its own SDK client. */
export const ec2InstanceActions = (call: Ec2Calls = ec2Calls()): InstanceActions => ({
  run: async (plan, placement, clientToken) => {
    const what = `run an instance of type ${placement.instanceType}`;
    const input = { ...runRequest(plan, placement), ClientToken: clientToken };
    const answer = await call(plan.region, what, (ec2, client, options) =>
      client.send(new ec2.RunInstancesCommand(input), options),
    );
    return launchedIn(answer, plan.region);
  },

  rehearse: (plan, placement) =>
    call(plan.region, `run an instance of type ${placement.instanceType}`, async (ec2, client, options) => {
      const command = new ec2.RunInstancesCommand({ ...runRequest(plan, placement), DryRun: true });
      await client.send(command, options).catch((error: unknown) => {
        if (codeOf(error) !== 'DryRunOperation') throw error; // a dry run that would have worked is an error too
      });
    }),

  start: (region, instanceId) =>
    call(region, `start instance ${instanceId}`, async (ec2, client, options) => {
      await client.send(new ec2.StartInstancesCommand({ InstanceIds: [instanceId] }), options);
    }),

  stop: (region, instanceId) =>
    call(region, `stop instance ${instanceId}`, async (ec2, client, options) => {
      await client.send(new ec2.StopInstancesCommand({ InstanceIds: [instanceId] }), options);
    }),

  reboot: (region, instanceId) =>
    call(region, `reboot instance ${instanceId}`, async (ec2, client, options) => {
      await client.send(new ec2.RebootInstancesCommand({ InstanceIds: [instanceId] }), options);
    }),

  terminate: (region, instanceId) =>
    call(region, `terminate instance ${instanceId}`, async (ec2, client, options) => {
      await client.send(new ec2.TerminateInstancesCommand({ InstanceIds: [instanceId] }), options);
    }),
});

const launchedIn = ({ OwnerId, Instances }: RunInstancesCommandOutput, region: string): LaunchedInstance => {
  const [instance] = Instances ?? [];
  if (OwnerId === undefined || instance?.InstanceId === undefined) {
    throw new UpstreamError(`EC2 in ${region} launched an instance, it says, and does not say which`);
  }
  return {
    instanceId: instance.InstanceId,
    account: OwnerId,
    zone: instance.Placement?.AvailabilityZone ?? '',
    privateAddress: instance.PrivateIpAddress || instance.Ipv6Address || undefined,
    isWindows: isWindows(instance),
    launchedAtMs: instance.LaunchTime?.getTime() ?? 0,
  };
};
