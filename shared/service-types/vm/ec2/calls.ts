import type { EC2Client } from '@aws-sdk/client-ec2';
import { type RegionalCalls, regionalCalls } from '../../../adapters/aws/calls.ts';

export type Ec2Calls = RegionalCalls<typeof import('./sdk.ts'), EC2Client>;

/** EC2 by its own SDK client. */
export const ec2Calls = (): Ec2Calls =>
  regionalCalls({
    name: 'EC2',
    load: () => import('./sdk.ts'),
    connect: ({ EC2Client }, connection) => new EC2Client(connection),
    timeoutMs: 5_000,
  });
