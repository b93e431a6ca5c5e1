import * as z from 'zod';
import type { Ending } from '../../processes/tied-process.ts';

/** A function's error: `name` is Lambda's errorType, `message` its errorMessage. */
export class FunctionError extends Error {
  /** The error as Lambda answers it, in JSON. */
  readonly body: string;

  constructor(body: string) {
    const { errorType, errorMessage } = Reported.parse(JSON.parse(body));
    super(errorMessage);
    this.name = errorType;
    this.body = body;
  }
}

/** The error that a runtime reports. A handler can throw anything, so any field can be missing. */
const Reported = z.object({
  errorType: z.string().catch('Error'),
  errorMessage: z.string().catch(''),
});

const sandboxError = (errorType: string, requestId: string, reason: string) =>
  new FunctionError(JSON.stringify({ errorType, errorMessage: `RequestId: ${requestId} Error: ${reason}` }));

/** The function exceeded its timeout. */
export const timedOut = (requestId: string, afterMs: number): FunctionError =>
  sandboxError('Sandbox.Timedout', requestId, `Task timed out after ${(afterMs / 1000).toFixed(2)} seconds`);

/** The process of the function ended before it answered. */
export const exited = (requestId: string, { code, signal }: Ending): FunctionError => {
  if (code === 0)
    return sandboxError('Runtime.ExitError', requestId, 'Runtime exited without providing a reason');
  const how = signal === null ? `exit status ${code}` : `signal: ${signal === 'SIGKILL' ? 'killed' : signal}`;
  return sandboxError('Runtime.ExitError', requestId, `Runtime exited with error: ${how}`);
};
