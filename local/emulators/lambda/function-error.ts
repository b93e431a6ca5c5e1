import * as z from 'zod';
import type { Ending } from '../../processes/tied-process.ts';

/** A function did not answer: `name` is Lambda's errorType, `message` its errorMessage. */
export class FunctionError extends Error {
  /** The whole error as Lambda answers it, in JSON. */
  readonly body: string;

  constructor(body: string) {
    const { errorType, errorMessage } = Reported.parse(JSON.parse(body));
    super(errorMessage);
    this.name = errorType;
    this.body = body;
  }
}

/** What a runtime reports; a handler may throw anything, so nothing in it is certain. */
const Reported = z.object({
  errorType: z.string().catch('Error'),
  errorMessage: z.string().catch(''),
});

const sandboxError = (errorType: string, requestId: string, reason: string) =>
  new FunctionError(JSON.stringify({ errorType, errorMessage: `RequestId: ${requestId} Error: ${reason}` }));

/** The function took longer than it may. */
export const timedOut = (requestId: string, afterMs: number): FunctionError =>
  sandboxError('Sandbox.Timedout', requestId, `Task timed out after ${(afterMs / 1000).toFixed(2)} seconds`);

/** The process of the function ended before it answered. */
export const exited = (requestId: string, { code, signal }: Ending): FunctionError => {
  if (code === 0)
    return sandboxError('Runtime.ExitError', requestId, 'Runtime exited without providing a reason');
  const how = signal === null ? `exit status ${code}` : `signal: ${signal === 'SIGKILL' ? 'killed' : signal}`;
  return sandboxError('Runtime.ExitError', requestId, `Runtime exited with error: ${how}`);
};
