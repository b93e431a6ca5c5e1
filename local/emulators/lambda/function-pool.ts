import { type ExecutionEnvironment, startExecutionEnvironment } from './execution-environment.ts';
import type { FunctionSettings } from './lambda-function.ts';

/** A place for one execution environment; empty before the first use, and after its process has ended. */
type Slot = { environment?: Promise<ExecutionEnvironment> };

/** The execution environments of one function. Invocations above its concurrency wait in order. */
export const functionPool = (fn: FunctionSettings, log: (line: string) => void) => {
  const slots: readonly Slot[] = Array.from({ length: fn.concurrency }, () => ({}));
  const free = [...slots];
  const waiting: ((slot: Slot) => void)[] = [];
  const live = new Set<ExecutionEnvironment>();
  let closed = false;

  const start = async (): Promise<ExecutionEnvironment> => {
    if (closed) throw new Error('the Lambda host is closed');
    const environment = await startExecutionEnvironment(fn, log);
    live.add(environment);
    environment.ended.then(() => live.delete(environment));
    return environment;
  };

  const environmentOf = async (slot: Slot): Promise<ExecutionEnvironment> => {
    const held = await slot.environment?.catch(() => undefined);
    if (held && !held.hasEnded()) return held;
    slot.environment = start();
    return slot.environment;
  };

  const invokeIn = async (slot: Slot, requestId: string, event: string): Promise<string> => {
    const environment = await environmentOf(slot);
    return (await environment.invoke(requestId, event)) ?? invokeIn(slot, requestId, event);
  };

  return {
    /** The function's answer in JSON. @throws FunctionError */
    invoke: async (requestId: string, event: string): Promise<string> => {
      const slot = free.pop() ?? (await new Promise<Slot>((resolve) => waiting.push(resolve)));
      try {
        return await invokeIn(slot, requestId, event);
      } finally {
        const next = waiting.shift();
        if (next) next(slot);
        else free.push(slot);
      }
    },
    /** Starts the environments that the next invocations use; others start when more invocations overlap. */
    warmUp: async (): Promise<void> => {
      const next = fn.warm > 0 ? free.slice(-fn.warm) : [];
      await Promise.all(next.map(async (slot) => (await environmentOf(slot)).ready));
    },
    pids: (): number[] => Array.from(live, ({ pid }) => pid),
    signal: (name: NodeJS.Signals): void => {
      for (const environment of live) environment.signal(name);
    },
    close: async (): Promise<void> => {
      closed = true;
      for (const slot of slots) {
        const environment = await slot.environment?.catch(() => undefined);
        environment?.signal('SIGKILL');
        await environment?.ended;
      }
    },
  };
};
