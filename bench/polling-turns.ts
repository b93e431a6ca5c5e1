import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Plan, PollerRequest } from '../functions/poller/poller.ts';
import {
  type LocalStateMachine,
  startStateMachine,
} from '../local/emulators/step-functions/start-state-machine.ts';
import type { Usage } from './polling-prices.ts';
import type { PolledRegions } from './polling-regions.ts';

const asl = new URL('../functions/poller/state-machine.asl.json', import.meta.url);
const secondMs = 0.001;

type Play = {
  /** How often the machine plans, waits and polls. */
  readonly turns: number;
  /** What happens in the regions during each wait. */
  readonly meanwhile: () => Promise<void>;
};

export type Played = {
  /** By the poller's clock, which a wait puts forward. */
  readonly seconds: number;
  /** Of all turns. */
  readonly turns: Usage;
  /** Of one execution that finds another one in charge. */
  readonly watchdog: Usage;
};

/** Plays the state machine with the poller behind it. @throws where an execution or one of its states fails. */
export const playTurns = async (polled: PolledRegions, play: Play): Promise<Played> => {
  const lines: string[] = [];
  const metered = meteredInvocations(polled, play);
  await using machine = await startStateMachine({
    definition: await readFile(asl, 'utf8'),
    substitutions: { Partition: 'aws', Poller: 'poller' },
    invoke: (_, payload) => metered.invoke(payload),
    log: (line) => lines.push(line),
    secondMs,
  });
  const startedAtMs = polled.now();
  const transitionsOfTurns = await lastEnded(machine, lines);
  const seconds = (polled.now() - startedAtMs) / 1000;
  const turns = metered.take();

  machine.start();
  const transitions = await lastEnded(machine, lines);
  const watchdog = { ...metered.take(), transitions };
  // the first execution ended as the watchdog's do: with a plan that told it to stop
  return { seconds, turns: { ...turns, transitions: transitionsOfTurns - transitions }, watchdog };
};

/** Invokes the poller, but tells the execution in charge to stop when it has planned all its turns. */
const meteredInvocations = (polled: PolledRegions, { turns, meanwhile }: Play) => {
  let [invocations, invocationMs, plans] = [0, 0, 0];
  let before = polled.units();

  const timed = async (request: PollerRequest) => {
    const startedAt = performance.now();
    const answer = await polled.handle(request);
    invocations += 1;
    invocationMs += performance.now() - startedAt;
    return answer;
  };

  return {
    async invoke(payload: unknown): Promise<unknown> {
      const request = PollerRequest.parse(payload);
      if (request.do !== 'plan') return timed(request);
      plans += 1;
      if (plans === turns + 1) return { next: 'stop', regions: [], waitSeconds: 0 };
      const plan = Plan.parse(await timed(request));
      if (plan.next === 'poll') {
        polled.skip(plan.waitSeconds * 1000);
        await meanwhile();
      }
      return plan;
    },
    /** What was used since this was last asked. */
    take() {
      const after = polled.units();
      const units = { reads: after.reads - before.reads, writes: after.writes - before.writes };
      const taken = { invocations, invocationMs, ...units };
      [invocations, invocationMs, before] = [0, 0, after];
      return taken;
    },
  };
};

/** The transitions of the youngest execution, when it has ended. */
const lastEnded = async (machine: LocalStateMachine, lines: readonly string[]): Promise<number> => {
  const last = () => machine.executions().at(-1);
  while (last()?.status === 'RUNNING') await sleep(1);
  if (lines.length > 0 || last()?.status !== 'SUCCEEDED')
    throw new Error(`The state machine failed: ${lines.join(', ')}`);
  return last()?.transitions ?? 0;
};
