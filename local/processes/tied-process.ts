import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A child process that ends when this process ends. */
export type TiedProcess = {
  readonly pid: number;
  /** Settles when the process has ended; either `code` or `signal` is null. Never rejects. */
  readonly ended: Promise<Ending>;
  /** No effect where the process has ended. */
  signal(name: NodeJS.Signals): void;
};
export type Ending = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

type Options = {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** The whole environment; this process's variables are not inherited. */
  readonly env: NodeJS.ProcessEnv;
  /** Called with each line of stdout and stderr. */
  readonly onLine?: ((line: string) => void) | undefined;
};

/**
 * Starts a process that ends when this process ends, even by SIGKILL. The terminal's Ctrl-C does not reach it, so that children are ended in
 * order.
 * @throws where the command cannot be run.
 */
export const startTiedProcess = async ({
  command,
  args,
  onLine,
  ...options
}: Options): Promise<TiedProcess> => {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const ended = new Promise<Ending>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  for (const input of [child.stdout, child.stderr])
    createInterface({ input }).on('line', onLine ?? (() => {}));
  await once(child, 'spawn');
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} was started but has no process id`);
  notifySentinel(`started ${pid}`);
  child.once('exit', () => notifySentinel(`ended ${pid}`));
  return { pid, ended, signal: (name) => void child.kill(name) };
};

/** A shell that kills the remaining children when its input ends. That happens even when this process is killed by SIGKILL. */
const sentinelScript = `
left=' '
while read -r what pid; do
  case $what in
    started) left="$left$pid " ;;
    ended) left="\${left%% "$pid" *} \${left#* "$pid" }" ;;
  esac
done
[ "$left" = ' ' ] || kill -9 $left 2>/dev/null`;

const startSentinel = () => {
  const ignore = () => {}; // without the shell the children are ordinary child processes
  const shell = spawn('/bin/sh', ['-c', sentinelScript], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  shell.on('error', ignore).unref();
  return shell.stdin.on('error', ignore);
};

let sentinel: ReturnType<typeof startSentinel> | undefined;
const notifySentinel = (line: string) => {
  sentinel ??= startSentinel();
  sentinel.write(`${line}\n`);
};
