import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startStateMachine } from '../../../local/emulators/step-functions/start-state-machine.ts';

type Options = Parameters<typeof startStateMachine>[0];

const task = (more: object) => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Parameters: { FunctionName: `\${Greeter}`, Payload: { to: 'world' } },
  End: true,
  ...more,
});
const only = (state: object) => JSON.stringify({ StartAt: 'Only', States: { Only: state } });

const running = (definition: string, options: Partial<Options> = {}) =>
  startStateMachine({
    definition,
    substitutions: { Greeter: 'greeter' },
    invoke: async () => null,
    log: () => {},
    ...options,
  });

describe('local Step Functions', () => {
  it('invokes the function that the definition is deployed with', async () => {
    const invoked: unknown[] = [];
    await using machine = await running(only(task({})), {
      invoke: async (name, payload) => {
        invoked.push({ name, payload });
      },
    });

    await expect.poll(() => machine.executions()[0]?.status).toBe('SUCCEEDED');

    expect(invoked).toEqual([{ name: 'greeter', payload: { to: 'world' } }]);
  });

  it("finds a function's error by the name that the function gave it, also on Node 20", async () => {
    const failed = only(task({ Retry: [{ ErrorEquals: ['Grumpy'], MaxAttempts: 2 }] }));
    const lines: string[] = [];
    let tries = 0;
    await using machine = await running(failed, {
      secondMs: 1,
      log: (line) => lines.push(line),
      invoke: async () => {
        tries += 1;
        throw Object.assign(new Error('no'), { name: tries < 3 ? 'Grumpy' : 'Asleep' });
      },
    });

    await expect.poll(() => machine.executions()[0]?.status).toBe('FAILED');

    expect(lines).toEqual([
      'Only failed: Grumpy: no',
      'Only failed: Grumpy: no',
      'Only failed: Asleep: no',
      'The execution failed: Asleep: no',
    ]);
    expect(machine.executions()[0]?.transitions).toBe(3);
  });

  it('waits in its own time', async () => {
    const pause = { Type: 'Pass', Result: { seconds: 20 }, Next: 'Pause' };
    const definition = JSON.stringify({
      StartAt: 'Begin',
      States: { Begin: pause, Pause: { Type: 'Wait', SecondsPath: '$.seconds', End: true } },
    });
    const begunMs = performance.now();
    await using machine = await running(definition, { secondMs: 5 });

    await expect.poll(() => machine.executions()[0]?.status, { interval: 5 }).toBe('SUCCEEDED');

    const tookMs = performance.now() - begunMs;
    expect(tookMs).toBeGreaterThanOrEqual(99);
    expect(tookMs).toBeLessThan(15_000);
  });

  it('waits for the functions under way when it ends', async () => {
    let isBegun = false;
    let isDone = false;
    const machine = await running(only(task({})), {
      invoke: async () => {
        isBegun = true;
        await sleep(100);
        isDone = true;
      },
    });
    await expect.poll(() => isBegun, { interval: 1 }).toBe(true);

    await machine[Symbol.asyncDispose]();

    expect(isDone).toBe(true);
    expect(machine.executions()[0]?.status).toBe('ABORTED');
  });

  it('invokes nothing once it has ended, however often a task is to be tried', async () => {
    let tries = 0;
    const machine = await running(
      only(task({ Retry: [{ ErrorEquals: ['States.ALL'], IntervalSeconds: 30, MaxAttempts: 9999 }] })),
      {
        invoke: async () => {
          tries += 1;
          throw new Error('no');
        },
      },
    );
    await expect.poll(() => tries).toBe(1);

    await machine[Symbol.asyncDispose]();
    await sleep(50);

    expect(tries).toBe(1);
  });

  it.each([
    ['a substitution that is missing', only(task({ Comment: `\${Nobody}` })), 'a substitution for Nobody'],
    ['a service that is not here', only(task({ Resource: 'arn:aws:states:::sns:publish' })), 'sns:publish'],
    [
      'another kind of wait',
      only({ Type: 'Wait', Timestamp: '2030-01-01T00:00:00Z', End: true }),
      'SecondsPath',
    ],
  ])('refuses to start with %s', async (_, definition, reason) => {
    await expect(running(definition)).rejects.toThrow(reason);
  });
});
