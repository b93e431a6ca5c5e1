import { setTimeout as sleep } from 'node:timers/promises';
import type { RunOptions } from 'aws-local-stepfunctions';
import * as z from 'zod';
import { waitResource } from './states-language.ts';

type Handlers = NonNullable<NonNullable<RunOptions['overrides']>['taskResourceLocalHandlers']>;
type Handler = Handlers[string];

type Options = {
  /** The resource of each task, by the name of its state. */
  readonly resources: ReadonlyMap<string, string>;
  readonly invoke: (name: string, payload: unknown) => Promise<unknown>;
  /** Starts an execution. @returns its ARN */
  readonly startExecution: () => string;
  /** Milliseconds for each second of a wait. */
  readonly secondMs: number;
  /** Once it is aborted, waits end and no task begins. */
  readonly signal: AbortSignal;
};

/**
 * The handlers of a state machine's tasks, by the names of their states. `settled` waits for the tasks that are under way.
 * @throws where a task needs a service that is not supported.
 */
export const taskHandlers = ({ resources, signal, ...options }: Options) => {
  const services = servicesWith(options, signal);
  const underWay = new Set<Promise<unknown>>();
  const handlers: Handlers = {};
  for (const [state, resource] of resources) {
    const service = services[resource];
    if (service === undefined) throw new Error(`the task ${state} needs ${resource}, which is not supported`);
    handlers[state] = async (input) => {
      if (signal.aborted) throw ended();
      const task = Promise.resolve(service(input));
      underWay.add(task);
      return task.finally(() => underWay.delete(task));
    };
  }
  return { handlers, settled: () => Promise.allSettled(underWay) };
};

/** An error that neither Retry nor Catch handles. After an abort the interpreter would retry other errors without pause or limit. */
const ended = () =>
  Object.assign(new Error('the state machine was stopped'), { isRetryable: false, isCatchable: false });

const WaitInput = z.object({ seconds: z.int().min(0) });
const Invocation = z.object({ FunctionName: z.string(), Payload: z.json() });

/** @see https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html */
const servicesWith = (
  { invoke, startExecution, secondMs }: Omit<Options, 'resources' | 'signal'>,
  signal: AbortSignal,
): Record<string, Handler> => ({
  [waitResource]: async (input) => {
    await sleep(WaitInput.parse(input).seconds * secondMs, undefined, { signal });
    return null;
  },
  'arn:aws:states:::lambda:invoke': async (input) => {
    const { FunctionName, Payload } = Invocation.parse(input);
    const answer = await invoke(FunctionName, Payload);
    return { StatusCode: 200, Payload: z.json().parse(answer ?? null) };
  },
  'arn:aws:states:::states:startExecution': async () => ({ ExecutionArn: startExecution() }),
});
