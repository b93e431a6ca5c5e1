import { describe, expect, it } from 'vitest';
import {
  defaultPace,
  type Health,
  type HealthAnswer,
  nextHealth,
} from '../../../../local/emulators/dcm/older-control-plane/health-monitor.ts';

const judged = (health: Health, ...answers: HealthAnswer[]) =>
  answers.reduce<Health & { nextCheckInMs?: number }>(
    (before, answer) => nextHealth(before, answer, defaultPace),
    health,
  );

const ready: Health = { status: 'ready', failures: 0 };

describe('control plane, judging the health of a provider', () => {
  it.each<{ from: Health['status']; answers: HealthAnswer[]; to: Health['status']; failures: number }>([
    { from: 'ready', answers: ['healthy'], to: 'ready', failures: 0 },
    { from: 'ready', answers: ['unhealthy'], to: 'unhealthy', failures: 0 },
    { from: 'ready', answers: ['failed', 'failed'], to: 'ready', failures: 2 },
    { from: 'ready', answers: ['failed', 'failed', 'failed'], to: 'unavailable', failures: 3 },
    { from: 'ready', answers: ['failed', 'failed', 'healthy', 'failed'], to: 'ready', failures: 1 },
    { from: 'ready', answers: ['failed', 'failed', 'unhealthy', 'failed'], to: 'unhealthy', failures: 1 },
    { from: 'unhealthy', answers: ['failed', 'failed'], to: 'unhealthy', failures: 2 },
    { from: 'unavailable', answers: ['unhealthy'], to: 'unhealthy', failures: 0 },
    { from: 'unavailable', answers: ['healthy'], to: 'ready', failures: 0 },
  ])('takes $from by $answers to $to', ({ from, answers, to, failures }) => {
    const health = judged({ status: from, failures: 0 }, ...answers);

    expect(health).toMatchObject({ status: to, failures });
  });

  it.each([
    { failures: 2, seconds: 10 },
    { failures: 3, seconds: 20 },
    { failures: 4, seconds: 40 },
    { failures: 7, seconds: 300 },
    { failures: 5_000, seconds: 300 },
  ])(
    'asks one that did not answer $failures times and now again not in $seconds s',
    ({ failures, seconds }) => {
      const { nextCheckInMs } = nextHealth({ status: 'unavailable', failures }, 'failed', defaultPace);

      expect(nextCheckInMs).toBe(seconds * 1_000);
    },
  );

  it.each<HealthAnswer>(['healthy', 'unhealthy', 'failed'])(
    'asks one that can be reached again after one interval, here after %s',
    (answer) => {
      expect(judged(ready, answer)).toMatchObject({ nextCheckInMs: 10_000 });
    },
  );
});
