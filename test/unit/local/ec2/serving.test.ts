import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startSimulation } from './simulation.ts';

describe('EC2 simulator, as a service', () => {
  it("refuses what it does not know in EC2's envelope", async () => {
    await using simulation = await startSimulation();
    const call = async (body: string) => {
      const response = await fetch(simulation.simulator.url, { method: 'POST', body });
      return `${response.status} ${/<Code>(.*)<\/Code>/.exec(await response.text())?.[1]}`;
    };

    expect(await call('Action=DescribeFleets&Version=2016-11-15')).toBe('400 InvalidAction');
    expect(await call('')).toBe('400 InvalidAction');
    expect(await call('Action=StopInstances')).toBe('400 MissingParameter');
    expect(await call('Action=RunInstances&ImageId=ami-01234567&MinCount=x&MaxCount=1')).toBe(
      '400 InvalidParameterValue',
    );
  });

  it('loses an event that is refused, logs that, and continues', async () => {
    const taken: unknown[] = [];
    const lines: string[] = [];
    await using simulation = await startSimulation({
      emit: async ({ detail }) => {
        if (detail.state === 'pending') throw new Error('the bus is away');
        taken.push(detail.state);
      },
      log: (line) => lines.push(line),
    });

    const id = await simulation.launch();
    await simulation.reaches(id, 'running');

    expect(taken).toEqual(['running']);
    expect(lines).toEqual([
      expect.stringMatching(
        /^the event EC2 Instance State-change Notification of arn:\S+ is lost: the bus is away$/,
      ),
    ]);
  });

  it('emits the next event without waiting for the one before', async () => {
    const offered: unknown[] = [];
    await using simulation = await startSimulation({
      emit: ({ detail }) => {
        offered.push(detail.state);
        return sleep(50);
      },
    });

    const id = await simulation.launch();
    await simulation.reaches(id, 'running');

    expect(offered).toEqual(['pending', 'running']);
  });

  it('emits nothing after it was disposed of, which waits for the events under way', async () => {
    const taken: unknown[] = [];
    const simulation = await startSimulation({
      dwellMs: { pending: 60_000 },
      emit: async ({ detail }) => {
        await sleep(10);
        taken.push(detail.state);
      },
    });
    await simulation.launch();

    await simulation[Symbol.asyncDispose]();

    expect(taken).toEqual(['pending']);
    await sleep(30);
    expect(taken).toEqual(['pending']);
  });
});
