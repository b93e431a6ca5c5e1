import type { Stack } from '../../local/stack/start-stack.ts';

/** All instances that EC2 has ever launched for a VM. */
export const instancesOf = ({ ec2 }: Pick<Stack, 'ec2'>, dcmId: string) =>
  (ec2?.instances() ?? []).filter(({ tags }) => tags['dcm-instance-id'] === dcmId);

/** A VM's id, as DCM makes them. */
export const newVmId = (): string => crypto.randomUUID();
