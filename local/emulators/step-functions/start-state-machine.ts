import { randomUUID } from 'node:crypto';
import { StateMachine } from 'aws-local-stepfunctions';
import { reasonOf } from '../../../shared/core/errors.ts';
import { prepareDefinition } from './states-language.ts';
import { taskHandlers } from './tasks.ts';

export type LocalStateMachine = AsyncDisposable & {
  /** Starts another execution, as a schedule or a person does, and tells its id. */
  start(): string;
  /** Oldest first. */
  executions(): readonly Execution[];
};

type Options = {
  /** The text of an ASL file (JSONPath), in which `${Name}` stands for a substitution. */
  readonly definition: string;
  readonly substitutions: Readonly<Record<string, string>>;
  /** Answers as the Lambda function of that name; rejects with the function's error. */
  readonly invoke: (name: string, payload: unknown) => Promise<unknown>;
  /** Hears of states and of executions that fail. */
  readonly log: (line: string) => void;
  /** How long a second of a wait or before a retry takes, in milliseconds, more than 0. @default 1000 */
  readonly secondMs?: number;
};

const arn = (resource: string) => `arn:aws:states:us-east-1:000000000000:${resource}`;

/**
 * Step Functions with one state machine, interpreted in process, and its first execution. Tasks may invoke functions and start
 * executions of this machine. Disposing ends waits at once, and waits itself for functions that are under way.
 * @throws where the definition needs what is not here.
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
  const machine = new StateMachine(definition, { validationOptions: { noValidate: true } });
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

/** Gives Node 20 the `Promise.withResolvers` that the interpreter uses and newer versions have. */
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
