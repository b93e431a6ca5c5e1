import type { StateMachine } from 'aws-local-stepfunctions';
import { reasonOf } from '../../../shared/core/errors.ts';

/** One run of a state machine. */
export type Execution = {
  /** Its ARN, which the state machine sees as `$$.Execution.Id`. */
  readonly id: string;
  readonly status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED';
  /** States that were entered, and retries of them: what AWS charges for. */
  readonly transitions: number;
};

type Run = ReturnType<StateMachine['run']>;

/** What becomes of a run, and when it has ended. Failures of states and of the whole are told to `log`. */
export const followed = (id: string, { result, eventLogs }: Run, log: (line: string) => void) => {
  let execution: Execution = { id, status: 'RUNNING', transitions: 0 };
  const follow = async () => {
    for await (const event of eventLogs) {
      if ('Error' in event) log(`${subjectOf(event)} failed: ${event.Error}: ${reasonOf(event.Cause)}`);
      const { status, transitions } = execution;
      execution = {
        id,
        status: statusAfter[event.type] ?? status,
        transitions: transitions + (chargedFor.has(event.type) ? 1 : 0),
      };
    }
  };
  result.catch(() => {}); // the events say it, too
  return { execution: () => execution, ended: follow() };
};

const chargedFor = new Set(['StateEntered', 'StateRetried']);

const statusAfter: Record<string, Execution['status']> = {
  ExecutionSucceeded: 'SUCCEEDED',
  ExecutionFailed: 'FAILED',
  ExecutionAborted: 'ABORTED',
};

const subjectOf = (event: object & { readonly state?: { readonly name: string } }): string =>
  event.state?.name ?? 'The execution';
