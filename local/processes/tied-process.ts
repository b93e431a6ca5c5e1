import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A child process that cannot outlive ours. */
export type TiedProcess = {
  readonly pid: number;
  /** Settles when the process has ended, and tells how: one of the two is null. Never rejects. */
  readonly ended: Promise<Ending>;
  /** Without effect where the process has ended. */
  signal(name: NodeJS.Signals): void;
};
export type Ending = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

type Options = {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** All of its environment: nothing of ours is inherited. */
  readonly env: NodeJS.ProcessEnv;
  /** Hears every line of its stdout and stderr. */
  readonly onLine?: ((line: string) => void) | undefined;
};

/**
 * Starts a process that ends when ours does, whatever ended ours. It is out of reach of the terminal's Ctrl-C, so that
 * we end our parts in our own order.
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
  if (pid === undefined) throw new Error(`${command} was started, but has no process id.`);
  tellSentinel(`started ${pid}`);
  child.once('exit', () => tellSentinel(`ended ${pid}`));
  return { pid, ended, signal: (name) => void child.kill(name) };
};

/** SIGKILL runs no handler of ours, so a shell sees our end as the end of its input, and kills what is left. */
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
  const untied = () => {}; // no shell here, or somebody killed it: the children are no worse off than others
  const shell = spawn('/bin/sh', ['-c', sentinelScript], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  shell.on('error', untied).unref();
  return shell.stdin.on('error', untied);
};

let sentinel: ReturnType<typeof startSentinel> | undefined;
const tellSentinel = (line: string) => {
  sentinel ??= startSentinel();
  sentinel.write(`${line}\n`);
};
