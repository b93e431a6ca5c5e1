import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod/mini';
import { SettingsError } from '../domain/errors.ts';
import type { BridgeRequest } from '../wire/bridge-request.ts';

type Invocation = {
  readonly client: LambdaClient;
  /** Name or ARN of the nats-bridge function. */
  readonly bridge: string;
  /** Left out: as long as the client waits. */
  readonly timeoutMs?: number;
};

/** What the nats-bridge answers, and after how many attempts of the SDK, from 1. @throws SettingsError where it refuses for its settings, else an Error that says why not. */
export const invokeBridge = async (
  { client, bridge, timeoutMs }: Invocation,
  request: BridgeRequest,
): Promise<{ readonly answer: unknown; readonly attempts: number }> => {
  const command = new InvokeCommand({ FunctionName: bridge, Payload: Buffer.from(JSON.stringify(request)) });
  const options = timeoutMs === undefined ? {} : { abortSignal: AbortSignal.timeout(timeoutMs) };
  const { FunctionError, Payload, $metadata } = await client.send(command, options);
  const text = Buffer.from(Payload ?? []).toString();
  if (FunctionError === undefined) return { answer: JSON.parse(text), attempts: $metadata?.attempts ?? 1 };
  const { data: failure } = Failure.safeParse(JSON.parse(text));
  if (failure?.errorType === 'SettingsError') throw new SettingsError(failure.errorMessage);
  throw new Error(`${FunctionError}: ${failure?.errorMessage ?? text}`);
};

/** @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html */
const Failure = z.object({ errorType: z.string(), errorMessage: z.string() });
