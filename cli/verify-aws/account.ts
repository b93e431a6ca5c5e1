import * as z from 'zod/mini';
import { reasonOf } from '../../shared/core/errors.ts';
import type { TagKeys } from '../../shared/core/ownership.ts';
import type { Ran } from '../ec2sp/aws-cli.ts';

/** How a check ended. `not seen`: it could not be made, or what it waited for did not happen. */
export type Verdict = 'as assumed' | 'otherwise' | 'not seen';

/** Says what was found about an assumption, in the words of docs/unverified.md. */
export type Found = (assumed: string, found: string, verdict: Verdict) => void;

/** Checks of one service. */
export type Checks = {
  /** The service, as docs/unverified.md names it. */
  readonly service: string;
  /** What is made, and about what it costs at most, in US dollars. */
  readonly makes: string;
  readonly dollars: number;
  /** About how long it takes. */
  readonly minutes: number;
  readonly assumptions: readonly string[];
  readonly run: (account: Account, found: Found) => Promise<void>;
};

/** AWS refused a call. */
export class Refusal extends Error {
  override name = 'Refusal' as const;
  /** Such as `UnauthorizedOperation`; empty where AWS's command line itself refused. */
  readonly code: string;

  constructor(args: readonly string[], stderr: string) {
    super(`aws ${args.slice(0, 2).join(' ')}: ${stderr.trim().replace(/\s+/g, ' ')}`);
    this.code = /\((\w[\w.]*)\) when calling/.exec(stderr)?.[1] ?? '';
  }
}

type Options = {
  readonly aws: (args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<Ran>;
  readonly region: string;
  /** `provider.name` of the deployment. */
  readonly provider: string;
  readonly tagKeys: TagKeys;
  /** Begins the name, and is a tag, of everything that is made. */
  readonly name: string;
  /** Where the calls are printed instead of made. */
  readonly print?: ((line: string) => void) | undefined;
  /** Rejects when the signal is aborted. */
  readonly pause: (milliseconds: number, signal: AbortSignal | undefined) => Promise<unknown>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly interrupted: AbortSignal;
};

type Trying = {
  readonly sampleCode?: string;
  readonly env?: Readonly<Record<string, string>>;
};

type Removal = { readonly what: string; readonly run: () => Promise<unknown> };

type Waiting<Answer> = {
  readonly isReached: (answer: Answer) => boolean;
  readonly everySeconds: number;
  readonly longestSeconds: number;
};

export type Account = ReturnType<typeof accountOf>;

/**
 * An AWS account that checks use through AWS's command line. Each call comes with a sample of its answer, with which a dry run goes on: it
 * takes the same path as the checks, so that it prints the calls that they make.
 */
export const accountOf = ({
  aws,
  region,
  provider,
  tagKeys,
  name,
  print,
  pause,
  now,
  interrupted,
}: Options) => {
  const removals: Removal[] = [];
  let isRemoving = false;
  const sleep = async (seconds: number) => {
    if (print === undefined) await pause(seconds * 1000, isRemoving ? undefined : interrupted);
  };

  /** Calls AWS. @throws Refusal, or where the answer has another form */
  const ask = async <Schema extends z.ZodMiniType>(
    args: readonly string[],
    schema: Schema,
    sample: unknown,
    env?: Readonly<Record<string, string>>,
  ): Promise<z.infer<Schema>> => {
    if (!isRemoving) interrupted.throwIfAborted();
    if (print !== undefined) {
      print(`aws ${args.map(quoted).join(' ')}`);
      return schema.parse(sample);
    }
    const { exitCode, stdout, stderr } = await aws([...args, '--region', region, '--output', 'json'], env);
    if (exitCode !== 0) throw new Refusal(args, stderr);
    return schema.parse(stdout.trim() === '' ? {} : JSON.parse(stdout));
  };

  /** Calls AWS, whose answer does not matter. @throws Refusal */
  const tell = (args: readonly string[]): Promise<unknown> => ask(args, z.unknown(), {});

  /** Why AWS refuses a call; undefined where it accepts it. A dry run goes on as if it was refused with `sampleCode`. */
  const refusalOf = async (
    args: readonly string[],
    { sampleCode, env }: Trying = {},
  ): Promise<Refusal | undefined> => {
    try {
      await ask(args, z.unknown(), {}, env);
      const isRefused = print !== undefined && sampleCode !== undefined;
      return isRefused ? new Refusal(args, `(${sampleCode}) when calling`) : undefined;
    } catch (error) {
      if (error instanceof Refusal) return error;
      throw error;
    }
  };

  /** Repeats a call until its answer is as wanted. @throws Refusal, or after the longest time */
  const until = async <Schema extends z.ZodMiniType>(
    args: readonly string[],
    [schema, sample]: readonly [Schema, unknown],
    { isReached, everySeconds, longestSeconds }: Waiting<z.infer<Schema>>,
  ): Promise<z.infer<Schema>> => {
    const begin = now();
    print?.(`# every ${everySeconds} s, for ${longestSeconds} s at most:`);
    while (true) {
      const answer = await ask(args, schema, sample);
      if (print !== undefined || isReached(answer)) return answer;
      if (now() - begin > longestSeconds * 1000)
        throw new Error(
          `aws ${args.slice(0, 2).join(' ')} did not answer as expected for ${longestSeconds} s`,
        );
      await sleep(everySeconds);
    }
  };

  /** Repeats a call while AWS refuses it, as it does while something else is still being removed. @throws the last Refusal */
  const persist = async (args: readonly string[], longestSeconds: number): Promise<void> => {
    const begin = now();
    while (true) {
      const refusal = await refusalOf(args);
      if (refusal === undefined || isGone(refusal)) return;
      if (refusal.code.startsWith('AccessDenied') || now() - begin > longestSeconds * 1000) throw refusal;
      await sleep(10);
    }
  };

  /** Waits until AWS no longer has a resource. @throws after half an hour */
  const untilGone = async (describe: readonly string[]): Promise<void> => {
    const begin = now();
    while (true) {
      const refusal = await refusalOf(describe, { sampleCode: 'ResourceNotFoundException' });
      if (refusal !== undefined && isGone(refusal)) return;
      if (refusal?.code.startsWith('AccessDenied')) throw refusal;
      if (now() - begin > 1_800_000) throw new Error('it is still being deleted after half an hour');
      await sleep(15);
    }
  };

  /** Notes how to remove something. Called before it is made, since a call that failed may have made it: a removal finds it by its name. */
  const toRemove = (what: string, run: () => Promise<unknown>): void => void removals.unshift({ what, run });

  /** Removes all that was made, the newest first, also after an interruption. Returns what could not be removed, and why. Never rejects. */
  const remove = async (): Promise<string[]> => {
    isRemoving = true;
    const remaining: string[] = [];
    for (const { what, run } of removals.splice(0)) {
      const error = await run().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error === undefined || (error instanceof Refusal && isGone(error))) continue;
      remaining.push(`${what}: ${reasonOf(error)}`);
    }
    isRemoving = false;
    return remaining;
  };

  return {
    ...{
      region,
      provider,
      tagKeys,
      name,
      ask,
      tell,
      refusalOf,
      until,
      persist,
      untilGone,
      sleep,
      toRemove,
      remove,
    },
    /** Seconds since 1970. */
    seconds: () => Math.round(now() / 1000),
  };
};

/** AWS has no such resource (any more). */
const isGone = ({ code }: Refusal): boolean => /NotFound|NonExistent|DoesNotExist|NoSuchEntity/.test(code);

const quoted = (arg: string): string =>
  /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`;
