import { startTiedProcess } from '../tied-process.ts';

type Surroundings = {
  readonly cwd: string;
  /** All of its environment: nothing of ours is inherited. */
  readonly env: NodeJS.ProcessEnv;
  /** Hears what it writes. */
  readonly log: (line: string) => void;
};

/** Whether a command succeeded. */
export const run = async (
  [command, ...args]: readonly [string, ...string[]],
  { log, ...surroundings }: Surroundings,
): Promise<boolean> => {
  const child = await startTiedProcess({ command, args, ...surroundings, onLine: log });
  const { code, signal } = await child.ended;
  if (code !== 0) log(`${[command, ...args].join(' ')} failed: ${signal ?? `exit status ${code}`}`);
  return code === 0;
};
