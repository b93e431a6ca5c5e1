import { setTimeout as sleep } from 'node:timers/promises';
import aslValidator from 'asl-validator';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { Plan } from '../../../functions/poller/handle-request.ts';
import { definition, failure, planOf, polling } from './scripted-poller.ts';

describe('the state machine of polling', () => {
  it('is valid Amazon States Language', () => {
    const { isValid, errorsText } = aslValidator(JSON.parse(definition.replaceAll(/\$\{\w+\}/g, 'aws')));

    expect(errorsText('\n')).toBe('');
    expect(isValid).toBe(true);
  });

  it('plans, polls each region that is due, and plans again', async () => {
    await using run = await polling({ plans: [planOf(0, 'eu-west-1', 'us-east-1'), planOf(0, 'us-east-1')] });

    await run.ended();

    expect(run.told()).toEqual(['plan', 'eu-west-1', 'us-east-1', 'plan', 'us-east-1', 'plan']);
    expect(run.statuses()).toEqual(['SUCCEEDED']);
  });

  it('sends the poller the id of its execution, and nothing that grows from plan to plan', async () => {
    await using run = await polling({
      plans: [planOf(0, 'eu-west-1')],
      poll: () => ({ instances: 'x'.repeat(300_000) }),
    });

    await run.ended();

    const [{ id: execution } = { id: '' }] = run.machine.executions();
    const { atMs: _, ...last } = run.asked.at(-1) ?? { atMs: 0 };
    expect(last).toEqual({ do: 'plan', execution });
  });

  it('waits as long as the plan says before it polls', async () => {
    await using run = await polling({ plans: [planOf(300, 'eu-west-1')], secondMs: 1 });

    await run.ended();

    const [planned, polled] = run.asked.map(({ atMs }) => atMs);
    expect((polled ?? 0) - (planned ?? 0)).toBeGreaterThanOrEqual(299);
  });

  it('makes four transitions a loop, and one for each region', async () => {
    const transitionsWith = async (...plans: Plan[]) => {
      await using run = await polling({ plans });
      await run.ended();
      return run.machine.executions()[0]?.transitions ?? 0;
    };

    const toStop = await transitionsWith();
    const oneRegion = await transitionsWith(planOf(0, 'a'));
    const threeLoops = await transitionsWith(planOf(0, 'a'), planOf(0, 'a', 'b', 'c', 'd', 'e'), planOf(0));

    expect(toStop).toBe(3);
    expect(oneRegion - toStop).toBe(4 + 1);
    expect(threeLoops - toStop).toBe(3 * 4 + 1 + 5);
  });

  it('polls the other regions when one fails, and plans again', async () => {
    await using run = await polling({
      plans: [planOf(0, 'bad', 'good'), planOf(0, 'bad', 'good')],
      poll: (region) => {
        if (region === 'bad') throw failure('UnavailableError');
        return {};
      },
    });

    await run.ended();

    const polls = (name: string) => run.told().filter((region) => region === name).length;
    expect(run.told().indexOf('good')).toBe(2);
    expect([polls('good'), polls('bad')]).toEqual([2, 6]);
    expect(run.statuses()).toEqual(['SUCCEEDED']);
    expect(run.lines).toContain('PollRegion failed: UnavailableError: out of order');
  });

  it('continues when a region that failed succeeds the second time', async () => {
    let tries = 0;
    await using run = await polling({
      plans: [planOf(0, 'eu-west-1')],
      poll: () => {
        tries += 1;
        if (tries === 1) throw failure('UnavailableError');
        return {};
      },
    });

    await run.ended();

    expect(run.told()).toEqual(['plan', 'eu-west-1', 'eu-west-1', 'plan']);
  });

  it.each(['Sandbox.Timedout', 'Lambda.Unknown'])(
    'does not retry a region after %s, so that the others do not wait longer',
    async (name) => {
      await using run = await polling({
        plans: [planOf(0, 'slow')],
        poll: () => {
          throw failure(name);
        },
      });

      await run.ended();

      expect(run.told()).toEqual(['plan', 'slow', 'plan']);
      expect(run.statuses()).toEqual(['SUCCEEDED']);
    },
  );

  it('hands over to a new execution, which plans for itself', async () => {
    await using run = await polling({ plans: [{ next: 'handover' }, planOf(0, 'eu-west-1')] });

    await expect.poll(run.statuses, { interval: 5 }).toEqual(['SUCCEEDED', 'SUCCEEDED']);

    expect(run.told()).toEqual(['plan', 'plan', 'eu-west-1', 'plan']);
    const planners = run.asked.flatMap((request) => (request.do === 'plan' ? [request.execution] : []));
    const [first, second] = run.machine.executions().map(({ id }) => id);
    expect(planners).toEqual([first, second, second]);
  });

  it('stops when another execution has the lease', async () => {
    await using run = await polling({ plans: [{ next: 'stop' }] });

    await run.ended();

    expect(run.told()).toEqual(['plan']);
    expect(run.statuses()).toEqual(['SUCCEEDED']);
  });

  it('retries a plan for as long as it fails, and then continues', async () => {
    const outage = Array.from({ length: 40 }, () => failure('Lambda.TooManyRequestsException'));
    await using run = await polling({ plans: [planOf(0, 'a'), ...outage, planOf(0, 'b')], secondMs: 0.1 });

    await run.ended();

    expect(run.told().filter((told) => told !== 'plan')).toEqual(['a', 'b']);
    expect(run.statuses()).toEqual(['SUCCEEDED']);
  });

  it('fails after some retries of its first plan; the watchdog starts the next execution', async () => {
    const outage = Array.from({ length: 9 }, () => failure('AccessDeniedException'));
    await using run = await polling({ plans: [...outage, planOf(0, 'a')], secondMs: 0.1 });
    await run.ended();

    run.machine.start();
    await run.ended();

    expect(run.statuses()).toEqual(['FAILED', 'SUCCEEDED']);
    expect(run.told()).toEqual([...outage.map(() => 'plan'), 'plan', 'a', 'plan']);
  });

  it.each<[string, object]>([
    ['has an unknown next step', { next: 'dance' }],
    ['has a wait that is no number', { next: 'poll', waitSeconds: 'soon' }],
  ])('fails when a plan %s', async (_, plan) => {
    await using run = await polling({ plans: [plan] });

    await run.ended();

    expect(run.statuses()).toEqual(['FAILED']);
  });

  it('ends a wait at once when it is aborted', async () => {
    await using run = await polling({ plans: [planOf(300, 'eu-west-1')], secondMs: 1000 });
    await expect.poll(run.told).toEqual(['plan']);
    await sleep(20);

    await run.machine[Symbol.asyncDispose]();

    expect(run.statuses()).toEqual(['ABORTED']);
    expect(run.told()).toEqual(['plan']);
  });
});

const Retrier = z.looseObject({
  IntervalSeconds: z.number().default(1),
  BackoffRate: z.number().default(2),
  MaxDelaySeconds: z.number(),
  MaxAttempts: z.number(),
});
const Tried = z.object({ Retry: z.array(z.looseObject({})) });
const TopStates = z.object({
  FirstPlan: Tried,
  PollRegions: z.object({ ItemProcessor: z.object({ States: z.object({ PollRegion: Tried }) }) }),
});

/** How long the last retrier of a state delays at most, with jitter against it each time. */
const longestDelaySeconds = ({ Retry }: z.infer<typeof Tried>): number => {
  const { IntervalSeconds, BackoffRate, MaxDelaySeconds, MaxAttempts } = Retrier.parse(Retry.at(-1));
  const delays = Array.from({ length: MaxAttempts }, (_, tried) =>
    Math.min(MaxDelaySeconds, IntervalSeconds * BackoffRate ** tried),
  );
  return delays.reduce((sum, delay) => sum + delay, 0);
};

describe('retries', () => {
  const { FirstPlan, PollRegions } = z.object({ States: TopStates }).parse(JSON.parse(definition)).States;

  it('of a region delay the other regions by three seconds at most', () => {
    expect(longestDelaySeconds(PollRegions.ItemProcessor.States.PollRegion)).toBeLessThanOrEqual(3);
  });

  it('of a first plan end before the watchdog starts the next execution', () => {
    expect(longestDelaySeconds(FirstPlan)).toBeLessThan(300);
  });
});
