import type { EC2Client } from '@aws-sdk/client-ec2';
import type { AwsAccounts } from '../../../adapters/aws/accounts.ts';
import { type CallsByTarget, callsByTarget } from '../../../adapters/aws/calls.ts';

export type Ec2Calls = CallsByTarget<typeof import('./sdk.ts'), EC2Client>;

/** Calls of EC2 by its SDK client. */
export const ec2Calls = (accounts?: AwsAccounts): Ec2Calls =>
  callsByTarget({
    name: 'EC2',
    load: () => import('./sdk.ts'),
    connect: ({ EC2Client }, connection) => new EC2Client(connection),
    ...{ timeoutMs: 5_000, accounts },
  });
