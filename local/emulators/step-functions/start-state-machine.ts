import { randomUUID } from 'node:crypto';
import { StateMachine } from 'aws-local-stepfunctions';
import { type Execution, followed } from './execution.ts';
import { providePromiseWithResolvers } from './promise-with-resolvers.ts';
import { playable } from './states-language.ts';
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
  const { definition, resources } = playable({ text, substitutions, secondMs });
  const runs: (ReturnType<typeof followed> & { abort(): void })[] = [];
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
    runs.push({ ...followed(id, run, log), abort: run.abort });
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
