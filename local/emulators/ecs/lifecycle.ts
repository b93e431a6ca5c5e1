import type { Random } from '../random.ts';

/**
 * The statuses of a task, in their order. A task that fails to start, or is stopped before it runs, skips those between.
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
 */
export type TaskStatus =
  | 'PROVISIONING'
  | 'PENDING'
  | 'ACTIVATING'
  | 'RUNNING'
  | 'DEACTIVATING'
  | 'STOPPING'
  | 'DEPROVISIONING'
  | 'STOPPED';

/** How long a task or a container stays in a phase, in milliseconds: fixed, or random between two values. */
export type DwellMs = Readonly<Record<Phase, number | readonly [number, number]>>;

/** RUNNING is the time after a stop request until the next status; STOPPING lasts until the containers have ended. */
export type Phase =
  | Exclude<TaskStatus, 'STOPPED' | 'STOPPING'>
  /** From RunTask until other operations find the task. */
  | 'missing'
  /** From PENDING until a pull that cannot succeed is given up. */
  | 'failedPull'
  /** The run of a program that ends at once. */
  | 'shortRun'
  /** From SIGTERM until a container has ended. */
  | 'sigterm';

/** A tenth of what Fargate takes, so that a task runs within three seconds. */
export const defaultDwellMs: DwellMs = {
  missing: [200, 500],
  PROVISIONING: [600, 1000],
  PENDING: [500, 1000],
  ACTIVATING: [200, 400],
  RUNNING: [20, 50],
  DEACTIVATING: [50, 100],
  DEPROVISIONING: [500, 1000],
  failedPull: [3000, 4000],
  shortRun: [0, 1000],
  sigterm: [20, 100],
};

export const durationOf = (phase: Phase, dwellMs: DwellMs, random: Random): number => {
  const dwell = dwellMs[phase];
  const [shortest, longest] = typeof dwell === 'number' ? [dwell, dwell] : dwell;
  return shortest + random() * (longest - shortest);
};

/** What a container does by convention, for no image is pulled and nothing is executed. */
export type Behaviour = {
  /** The error of the pull, where the image does not exist. */
  readonly pullError?: string;
  /** How the container ends by itself: after the phase `shortRun`, or after so many seconds. */
  readonly exit?: { readonly code: number; readonly reason?: string; readonly afterSeconds?: number };
  readonly ignoresSigterm: boolean;
};

/**
 * The behaviour of a container, by its image and its process (entry point and command):
 * an image of a host named `nonexistent…`, or with the tag `fake`, cannot be pulled; `false` exits with 1, `true` with 0, `exit N` with N, and
 * `oom` with 137, all within a second; `sleep N` exits with 0 after N seconds; `ignore-sigterm`, alone or before one of these, ends only by
 * SIGKILL or by itself. `sh -c "…"` is what the text says. Everything else runs until it is stopped.
 */
export const behaviourOf = (image: string, process: readonly string[]): Behaviour => {
  const [program = '', ...rest] = programOf(process);
  if (program === 'ignore-sigterm') return { ...behaviourOf(image, rest), ignoresSigterm: true };
  const pullError = pullErrorOf(image);
  const exit = exitOf(program, Number(rest[0] ?? 0));
  return { ignoresSigterm: false, ...(pullError && { pullError }), ...(exit && { exit }) };
};

/** The words of the program that runs, without a path and without the shell around it. */
const programOf = (process: readonly string[]): readonly string[] => {
  const [path = '', ...rest] = process;
  const program = path.split('/').at(-1) ?? '';
  const isShell = /^(ba)?sh$/.test(program) && rest[0] === '-c';
  return isShell ? (rest[1] ?? '').trim().split(/\s+/) : [program, ...rest];
};

const exitOf = (program: string, argument: number): Behaviour['exit'] => {
  switch (program) {
    case 'false':
      return { code: 1 };
    case 'true':
      return { code: 0 };
    case 'exit':
      return { code: argument };
    case 'oom':
      return { code: 137, reason: 'OutOfMemoryError: container killed due to memory usage' };
    case 'sleep':
      return { code: 0, afterSeconds: argument };
    default:
      return undefined;
  }
};

const pullErrorOf = (image: string): string | undefined => {
  const [host = ''] = image.split('/');
  if (!/^nonexistent/.test(host) && !/:fake$/.test(image)) return undefined;
  return `CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref ${image}: not found`;
};
