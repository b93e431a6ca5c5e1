import { describe, expect, it } from 'vitest';
import { readMessage } from '../../../functions/normaliser/read-message.ts';
import { readRefusals } from '../../../functions/normaliser/refused-creates.ts';
import { UnavailableError } from '../../../shared/core/errors.ts';
import { heartbeatIn } from '../../../shared/wire/heartbeat.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { halfPastTen, tagKeys } from '../../fixtures/resource-messages.ts';
import messages from '../../fixtures/stored/messages.json' with { type: 'json' };

const read = readRefusals(
  readMessage({
    provider: 'ec2-sp',
    tagKeys,
    regions: ['us-east-1'],
    now: () => (halfPastTen + 3600) * 1000,
    log: memoryLog(),
    meter: countingMeter(),
  }),
);
const heartbeats = messages.filter((message) => message['detail-type'] === 'Queue Heartbeat');
const others = messages.filter((message) => !heartbeats.includes(message));

describe('messages that version 0.1.0 queued', () => {
  it('are read, each as what it says', () => {
    const kinds = others.flatMap((message) => read(JSON.stringify(message)).map(({ kind }) => kind));

    expect(kinds).toEqual([
      ...['tag-change', 'observation', 'observation', 'notice', 'status-wanted', 'status-settled'],
      ...['check-wanted', 'claim-check', 'create-refused'],
    ]);
  });

  it('are read with every field', () => {
    const [observed, asked] = others.slice(0, 2).map((message) => read(JSON.stringify(message)).at(-1));
    const check = others
      .flatMap((message) => read(JSON.stringify(message)))
      .find(({ kind }) => kind === 'check-wanted');

    expect(observed).toMatchObject({ state: 'running', publicAddress: '203.0.113.7', seenBy: 'listing' });
    expect(asked).toMatchObject({ requestId: 'request-1', reason: { code: 'Client.UserInitiatedShutdown' } });
    expect(check).toMatchObject({ attempt: 3, key: String(halfPastTen * 10) });
  });

  it('are heartbeats too', () => {
    expect(heartbeats.map((message) => heartbeatIn(JSON.stringify(message)))).toEqual([halfPastTen]);
  });
});

describe('messages of a newer format', () => {
  it.each(others)('are refused, and stay in the queue: $detail-type', (message) => {
    const newer = JSON.stringify({ ...message, detail: { ...message.detail, format: 2 } });

    expect(() => read(newer)).toThrow(UnavailableError);
    expect(() => read(newer)).toThrow('has format 2, and this version reads formats up to 1');
  });
});
