import type { Ending } from '../../processes/tied-process.ts';
import { exited, type FunctionError, timedOut } from './function-error.ts';
import type { Invocation, RuntimeSide } from './runtime-api.ts';

/** Gives the waiting runtime something to do. */
type Deliver = (invocation: Invocation) => void;

type UnderWay = {
  readonly requestId: string;
  readonly answer: (response: string) => void;
  readonly fail: (error: FunctionError) => void;
};

/** Lambda's limit for loading a function: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html */
const initLimitMs = 10_000;

type Options = {
  readonly timeoutMs: number;
  /** Ends the process that takes too long. */
  readonly kill: () => void;
};

/** What goes on between those who invoke a function and the one runtime that runs it, one invocation at a time. */
export const createSandbox = ({ timeoutMs, kill }: Options) => {
  let underWay: UnderWay | undefined;
  let ending: Ending | undefined;
  let initialised = false;
  let whyItEnded = exited;

  let offer: (deliver: Deliver | undefined) => void;
  let offered: Promise<Deliver | undefined>;
  const awaitRuntime = () => {
    offered = new Promise((resolve) => {
      offer = resolve;
    });
    return offered;
  };

  const limit = (ms: number) =>
    setTimeout(() => {
      whyItEnded = (requestId) => timedOut(requestId, ms);
      kill();
    }, ms);
  let clock = limit(initLimitMs);

  const finished = (requestId: string): UnderWay | undefined => {
    if (underWay?.requestId !== requestId) return undefined;
    clearTimeout(clock);
    const done = underWay;
    underWay = undefined;
    return done;
  };

  const runtimeSide: RuntimeSide = {
    next: () => {
      if (!initialised) clearTimeout(clock);
      initialised = true;
      return new Promise((deliver) => offer(deliver));
    },
    succeeded: (requestId, response) => finished(requestId)?.answer(response),
    failed: (requestId, error) => finished(requestId)?.fail(error),
    initFailed: (error) => {
      whyItEnded = () => error;
    },
  };

  return {
    runtimeSide,
    /** Settles when the function is loaded, or could not be. */
    ready: awaitRuntime(),
    hasEnded: () => ending !== undefined,
    /** The function's answer; `undefined` where the process had ended of itself after an earlier invocation. @throws FunctionError */
    invoke: async (requestId: string, event: string): Promise<string | undefined> => {
      const deliver = await offered;
      if (ending !== undefined && !initialised) throw whyItEnded(requestId, ending);
      if (ending !== undefined || deliver === undefined) return undefined;
      awaitRuntime();
      clock = limit(timeoutMs);
      return new Promise((answer, fail) => {
        underWay = { requestId, answer, fail };
        deliver({ requestId, event, deadlineMs: Date.now() + timeoutMs });
      });
    },
    ended: (how: Ending): void => {
      ending = how;
      clearTimeout(clock);
      underWay?.fail(whyItEnded(underWay.requestId, how));
      offer(undefined);
    },
  };
};
