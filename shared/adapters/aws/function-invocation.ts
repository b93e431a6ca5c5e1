import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod/mini';
import { SettingsError } from '../../core/errors.ts';

type Invocation = {
  readonly client: LambdaClient;
  /** Name or ARN. */
  readonly functionName: string;
  /** Left out: as long as the client waits. */
  readonly timeoutMs?: number | undefined;
};

/** What a function answers, and after how many attempts of the SDK, from 1. @throws SettingsError where it refuses for its settings, else an Error that says why not. */
export const invokeFunction = async (
  { client, functionName, timeoutMs }: Invocation,
  request: object,
): Promise<{ readonly answer: unknown; readonly attempts: number }> => {
  const Payload = Buffer.from(JSON.stringify(request));
  const command = new InvokeCommand({ FunctionName: functionName, Payload });
  const options = timeoutMs === undefined ? {} : { abortSignal: AbortSignal.timeout(timeoutMs) };
  const { FunctionError, Payload: answered, $metadata } = await client.send(command, options);
  const text = Buffer.from(answered ?? []).toString();
  if (FunctionError === undefined) return { answer: JSON.parse(text), attempts: $metadata?.attempts ?? 1 };
  const { data: failure } = Failure.safeParse(JSON.parse(text));
  if (failure?.errorType === 'SettingsError') throw new SettingsError(failure.errorMessage);
  throw new Error(`${FunctionError}: ${failure?.errorMessage ?? text}`);
};

/** @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html */
const Failure = z.object({ errorType: z.string(), errorMessage: z.string() });
