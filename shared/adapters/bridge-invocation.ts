import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { BridgeRequest } from '../wire/bridge-request.ts';
import { invokeFunction } from './aws/function-invocation.ts';

type Invocation = {
  readonly client: LambdaClient;
  /** Name or ARN of the nats-bridge function. */
  readonly bridge: string;
  /** Left out: as long as the client waits. */
  readonly timeoutMs?: number;
};

/** What the nats-bridge answers, and after how many attempts of the SDK, from 1. @throws what invokeFunction throws. */
export const invokeBridge = ({ client, bridge, timeoutMs }: Invocation, request: BridgeRequest) =>
  invokeFunction({ client, functionName: bridge, timeoutMs }, request);
