import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startSchedule } from '../../../local/emulators/schedule.ts';

describe('schedule', () => {
  it('invokes at every period, also after a failure, which it tells', async () => {
    const lines: string[] = [];
    let invocations = 0;
    const invoke = async () => {
      invocations += 1;
      if (invocations === 1) throw new Error('not this time');
    };

    await using _schedule = startSchedule({ everyMs: 5, invoke, log: (line) => lines.push(line) });

    await expect.poll(() => invocations).toBeGreaterThan(2);
    expect(lines).toEqual(['not this time']);
  });

  it('waits for what is under way when it ends, and invokes no more', async () => {
    const done: string[] = [];
    let startTimeline = false;
    const invoke = async () => {
      startTimeline = true;
      await sleep(50);
      done.push('invocation');
    };
    const schedule = startSchedule({ everyMs: 1, invoke, log: () => undefined });
    await expect.poll(() => startTimeline, { interval: 1 }).toBe(true);

    await schedule[Symbol.asyncDispose]();
    done.push('end');
    await sleep(20);

    expect(done.at(-1)).toBe('end');
    expect(done.at(-2)).toBe('invocation');
  });
});
