import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod/mini';
import { SettingsError } from '../../core/errors.ts';

type Invocation = {
  readonly client: LambdaClient;
  /** Name or ARN. */
  readonly functionName: string;
  /** Absent: the timeout of the client. */
  readonly timeoutMs?: number | undefined;
};

/**
 * Invokes a Lambda function. Returns its answer, and how many attempts the SDK made, from 1.
 * @throws SettingsError where the function threw one; an Error with the function's message where it failed otherwise.
 */
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
