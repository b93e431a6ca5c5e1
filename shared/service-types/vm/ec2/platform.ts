import type { Instance } from '@aws-sdk/client-ec2';

/**
 * EC2 says `windows`, in lower case, whatever its model says, and nothing of any other system.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html (platform)
 */
export const isWindows = ({ Platform }: Pick<Instance, 'Platform'>): boolean =>
  Platform?.toLowerCase() === 'windows';
