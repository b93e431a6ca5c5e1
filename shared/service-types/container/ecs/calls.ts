import type { ECSClient } from '@aws-sdk/client-ecs';
import type { AwsAccounts } from '../../../adapters/aws/accounts.ts';
import { type CallsByTarget, callsByTarget } from '../../../adapters/aws/calls.ts';

export type EcsCalls = CallsByTarget<typeof import('./sdk.ts'), ECSClient>;

/** Calls of ECS by its SDK client. */
export const ecsCalls = (accounts?: AwsAccounts): EcsCalls =>
  callsByTarget({
    name: 'ECS',
    load: () => import('./sdk.ts'),
    connect: ({ ECSClient }, connection) => new ECSClient(connection),
    ...{ timeoutMs: 5_000, accounts },
  });
