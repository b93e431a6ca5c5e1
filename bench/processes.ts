import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

type Module = {
  readonly url: URL;
  readonly args?: readonly string[];
  /** Options of Node.js, such as `--expose-gc`. */
  readonly nodeOptions?: readonly string[];
};

export type ModuleProcess = AsyncDisposable & {
  /** The next message that the module sends. @throws where the process ends before. */
  next(): Promise<unknown>;
  send(message: string): void;
};

/** Runs a module in a process of its own, which ends when it is disposed of, or when this process ends. */
export const startModule = ({ url, args = [], nodeOptions = [] }: Module): ModuleProcess => {
  const child = fork(fileURLToPath(url), args, {
    execArgv: [...process.execArgv, ...nodeOptions],
  });
  const ended = once(child, 'exit').then(([code]) => `${url.pathname} ended with exit status ${code}.`);
  const tooEarly = ended.then((how) => Promise.reject(new Error(how)));
  tooEarly.catch(() => {}); // expected where nothing is waited for
  return {
    next: async () => (await Promise.race([once(child, 'message'), tooEarly]))[0],
    send: (message) => void child.send(message),
    [Symbol.asyncDispose]: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
};

/** The number of each running process, with its parent's. Zombies do not count. */
const runningProcesses = async (): Promise<ReadonlyMap<number, number>> => {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=,stat=']);
  const fields = stdout.split('\n').map((line) => line.trim().split(/\s+/));
  return new Map(
    fields.flatMap(([pid, parent, state]) => (state?.startsWith('Z') ? [] : [[Number(pid), Number(parent)]])),
  );
};

/** A process and its descendants. */
export const familyOf = async (pid: number): Promise<number[]> => {
  const parents = await runningProcesses();
  const family = new Set([pid]);
  for (const member of family) {
    for (const [child, parent] of parents) if (parent === member) family.add(child);
  }
  return [...family];
};

/** Those of them that still run. */
export const stillRunning = async (pids: readonly number[]): Promise<number[]> => {
  const running = await runningProcesses();
  return pids.filter((pid) => running.has(pid));
};

/** Sets variables of this process, which the SDK reads, until it is disposed. */
export const environment = (variables: Readonly<Record<string, string>>): Disposable => {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  return {
    [Symbol.dispose]: () => {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    },
  };
};
