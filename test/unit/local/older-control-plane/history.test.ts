import { describe, expect, it } from 'vitest';
import {
  type Consumed,
  createHistory,
  waitForStatus,
} from '../../../../local/emulators/dcm/status-history.ts';

const consumed = (changes: Partial<Consumed> = {}): Omit<Consumed, 'position'> => ({
  id: 'vm-1',
  status: 'running',
  streamSeq: 1,
  deliveries: 1,
  receivedAtMs: 1,
  appliedAtMs: 2,
  outcome: 'applied',
  ...changes,
});

describe('control plane, recording what it consumed', () => {
  it('keeps the last events, with the position of each', () => {
    const history = createHistory(2);

    for (const id of ['vm-1', 'vm-2', 'vm-3']) history.record(consumed({ id }));

    expect(history.entries()).toMatchObject([
      { position: 2, id: 'vm-2' },
      { position: 3, id: 'vm-3' },
    ]);
  });

  it('calls listeners, until they are removed', () => {
    const history = createHistory();
    const heard: Consumed[] = [];
    const stop = history.onConsumed((entry) => heard.push(entry));

    history.record(consumed());
    stop();
    history.record(consumed());

    expect(heard).toEqual([{ position: 1, ...consumed() }]);
  });
});

describe('control plane, waiting for a status', () => {
  const soon = () => AbortSignal.timeout(50);

  it('is done when the row has it already, written in any case', async () => {
    const history = createHistory();
    history.record(consumed());

    const found = await waitForStatus(history, { id: 'vm-1', status: 'Running', signal: soon() });

    expect(found.position).toBe(1);
  });

  it('waits for the row to have it again when it had and left it', async () => {
    const history = createHistory();
    history.record(consumed());
    history.record(consumed({ status: 'stopped' }));

    const waiting = waitForStatus(history, { id: 'vm-1', status: 'running', signal: soon() });
    history.record(consumed());

    expect((await waiting).position).toBe(3);
  });

  it('ignores other rows, and events that did not change the row', async () => {
    const history = createHistory();
    history.record(consumed({ id: 'vm-2' }));
    history.record(consumed({ outcome: 'skipped' }));

    const waiting = waitForStatus(history, { id: 'vm-1', status: 'running', signal: soon() });
    history.record(consumed({ outcome: 'nak' }));
    history.record(consumed({ outcome: 'added' }));

    expect((await waiting).position).toBe(4);
  });

  it('fails after its timeout, with the statuses of the row', async () => {
    const history = createHistory();
    history.record(consumed({ status: 'provisioning' }));
    history.record(consumed({ status: 'failed' }));

    const waiting = waitForStatus(history, { id: 'vm-1', status: 'running', signal: soon() });

    await expect(waiting).rejects.toThrow(
      'Row vm-1 did not become running; its statuses were: provisioning, failed.',
    );
  });

  it('fails at once where the signal is aborted already', async () => {
    const waiting = waitForStatus(createHistory(), {
      id: 'vm-1',
      status: 'running',
      signal: AbortSignal.abort(),
    });

    await expect(waiting).rejects.toThrow('its statuses were: none.');
  });
});
