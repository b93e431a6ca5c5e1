import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { type Plan, PollerRequest } from '../../../functions/poller/handle-request.ts';
import { startStateMachine } from '../../../local/emulators/step-functions/start-state-machine.ts';

const file = new URL('../../../functions/poller/state-machine.asl.json', import.meta.url);
export const definition = readFileSync(file, 'utf8');
const substitutions = { Partition: 'aws', Poller: 'poller' };

type Asked = PollerRequest & { readonly atMs: number };
type Script = {
  /** What is answered to the plans, in this order; then: stop. */
  readonly plans: readonly (Partial<Plan> | Error)[];
  readonly poll?: (region: string) => unknown;
  readonly secondMs?: number;
};

/** The state machine with a poller that follows a script. */
export const polling = async ({ plans, poll = () => ({}), secondMs = 1 }: Script) => {
  const asked: Asked[] = [];
  const lines: string[] = [];
  const left = [...plans];
  const machine = await startStateMachine({
    definition,
    substitutions,
    secondMs,
    log: (line) => lines.push(line),
    invoke: async (name, payload) => {
      const request = PollerRequest.parse(payload);
      asked.push({ ...request, atMs: performance.now() });
      expect(name).toBe('poller');
      if (request.do === 'poll') return poll(request.region);
      const plan = left.shift() ?? { next: 'stop' };
      if (plan instanceof Error) throw plan;
      return { regions: [], waitSeconds: 0, ...plan };
    },
  });
  const statuses = () => machine.executions().map(({ status }) => status);
  return {
    asked,
    lines,
    machine,
    statuses,
    /** What the poller was asked for, in this order: `plan`, or the region that it was to poll. */
    told: () => asked.map((request) => (request.do === 'poll' ? request.region : request.do)),
    ended: () => expect.poll(statuses, { interval: 5, timeout: 20_000 }).not.toContain('RUNNING'),
    [Symbol.asyncDispose]: () => machine[Symbol.asyncDispose](),
  };
};

export const planOf = (waitSeconds: number, ...names: string[]): Plan => ({
  next: 'poll',
  waitSeconds,
  regions: names.map((region) => ({ region })),
});
export const failure = (name: string) => Object.assign(new Error('out of order'), { name });
