import { randomUUID } from 'node:crypto';
import type { StateMachine } from 'aws-local-stepfunctions';
import { reasonOf } from '../../../shared/core/errors.ts';
import { prepareDefinition } from './states-language.ts';
import { taskHandlers } from './tasks.ts';

export type LocalStateMachine = AsyncDisposable & {
  /** Starts another execution. @returns its id */
  start(): string;
  /** Oldest first. */
  executions(): readonly Execution[];
};

type Options = {
  /** The text of an ASL file (JSONPath), in which `${Name}` stands for a substitution. */
  readonly definition: string;
  readonly substitutions: Readonly<Record<string, string>>;
  /** Invokes the Lambda function of this name; rejects with the function's error. */
  readonly invoke: (name: string, payload: unknown) => Promise<unknown>;
  /** Called for states and executions that fail. */
  readonly log: (line: string) => void;
  /** Milliseconds for each second of a wait or of a pause before a retry; more than 0. @default 1000 */
  readonly secondMs?: number;
};

const arn = (resource: string) => `arn:aws:states:us-east-1:000000000000:${resource}`;

/** Takes half a second of CPU time the first time, so it can be called where there is time for it. */
export const loadInterpreter = () => import('aws-local-stepfunctions');

/**
 * Step Functions with one state machine, interpreted in this process. Starts the first execution. Tasks may invoke functions and start
 * executions of this state machine. Disposing ends waits at once, and waits for functions that are under way.
 * @throws where the definition needs a feature that is not supported.
 */
export const startStateMachine = async (options: Options): Promise<LocalStateMachine> => {
  const { definition: text, substitutions, invoke, log, secondMs = 1000 } = options;
  const { definition, resources } = prepareDefinition({ text, substitutions, secondMs });
  const runs: (ReturnType<typeof trackExecution> & { abort(): void })[] = [];
  const ending = new AbortController();

  const startExecution = (): string => {
    const id = arn(`execution:local:${randomUUID()}`);
    const run = machine.run(
      {},
      {
        context: { Execution: { Id: id }, StateMachine: { Id: arn('stateMachine:local') } },
        overrides: { taskResourceLocalHandlers: tasks.handlers },
        noThrowOnAbort: true,
      },
    );
    runs.push({ ...trackExecution(id, run, log), abort: run.abort });
    return id;
  };
  const tasks = taskHandlers({ resources, invoke, startExecution, secondMs, signal: ending.signal });
  providePromiseWithResolvers();
  const interpreter = await loadInterpreter();
  const machine = new interpreter.StateMachine(definition, { validationOptions: { noValidate: true } });
  startExecution();
  return {
    start: startExecution,
    executions: () => runs.map(({ execution }) => execution()),
    [Symbol.asyncDispose]: async () => {
      ending.abort();
      for (const { abort } of runs) abort();
      await Promise.all([tasks.settled(), ...runs.map(({ ended }) => ended)]);
    },
  };
};

/** One execution of a state machine. */
export type Execution = {
  /** ARN, which is `$$.Execution.Id` in the state machine. */
  readonly id: string;
  readonly status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED';
  /** State transitions that AWS charges for: entered states and retries. */
  readonly transitions: number;
};

type Run = ReturnType<StateMachine['run']>;

/** Tracks an execution's status until it has ended. Logs failures of states and of the execution. */
const trackExecution = (id: string, { result, eventLogs }: Run, log: (line: string) => void) => {
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
  result.catch(() => {}); // the event log has the error too
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

/** Defines `Promise.withResolvers`, which the interpreter uses, in Node 20. */
const providePromiseWithResolvers = (): void => {
  if (!('withResolvers' in Promise))
    Object.defineProperty(Promise, 'withResolvers', { value: withResolvers, configurable: true });
};

const withResolvers = () => {
  let resolve: (value: unknown) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise((fulfil, refuse) => {
    resolve = fulfil;
    reject = refuse;
  });
  return { promise, resolve, reject };
};
