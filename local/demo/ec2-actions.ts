import { randomUUID } from 'node:crypto';
import {
  type EC2Client,
  RunInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';

/** An instance in the demo, and the VM that it is for DCM, if it is one. */
export type Actor = {
  readonly name: string;
  readonly instanceId: string;
  /** undefined: not ours. */
  readonly dcmId: string | undefined;
  /** Whether events tell of it, or only listings do, which miss what does not last. */
  readonly seenBy: 'events' | 'listings';
};

type Role = { readonly name: string; readonly spot?: boolean; readonly seenBy?: Actor['seenBy'] } & (
  | { readonly owner: 'ours'; readonly provider: string }
  | { readonly owner: 'ownership-removed' }
  | { readonly owner: 'another provider' }
);

/** Launches, stops, starts and terminates instances as any client of EC2 would: with the AWS SDK. Tells of each one it launched. */
export const cast = (ec2: EC2Client, enter: (actor: Actor) => void) => ({
  async launch(role: Role): Promise<Actor> {
    const dcmId = randomUUID();
    const { Instances } = await ec2.send(
      new RunInstancesCommand({
        ImageId: 'ami-0123456789abcdef0',
        InstanceType: 't3.micro',
        MinCount: 1,
        MaxCount: 1,
        ...(role.spot && { InstanceMarketOptions: { MarketType: 'spot' } }),
        TagSpecifications: [{ ResourceType: 'instance', Tags: tagsOf(role, dcmId) }],
      }),
    );
    const instanceId = Instances?.[0]?.InstanceId ?? '';
    const { name, seenBy = 'events' } = role;
    const actor = { name, instanceId, dcmId: role.owner === 'ours' ? dcmId : undefined, seenBy };
    enter(actor);
    return actor;
  },
  stop: (...actors: Actor[]) => ec2.send(new StopInstancesCommand({ InstanceIds: idsOf(actors) })),
  start: (...actors: Actor[]) => ec2.send(new StartInstancesCommand({ InstanceIds: idsOf(actors) })),
  terminate: (...actors: Actor[]) => ec2.send(new TerminateInstancesCommand({ InstanceIds: idsOf(actors) })),
});

const idsOf = (actors: readonly Actor[]): string[] => actors.map(({ instanceId }) => instanceId);

const tagsOf = (role: Role, dcmId: string) => {
  const name = { Key: 'Name', Value: role.name };
  if (role.owner === 'ownership-removed') return [name];
  return [
    name,
    { Key: 'managed-by', Value: 'dcm' },
    { Key: 'dcm-instance-id', Value: dcmId },
    { Key: 'dcm-provider', Value: role.owner === 'ours' ? role.provider : 'another-sp' },
  ];
};
