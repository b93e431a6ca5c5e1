import { describe, expect, it } from 'vitest';
import { readStatusEvent } from '../../../../local/emulators/dcm/status-event.ts';
import { UnreadableError } from '../../../../shared/core/errors.ts';
import { dropped, read } from './status-events.ts';

const bytes = (json: string) => new TextEncoder().encode(json);

describe('control plane, reading a status event', () => {
  it.each(read)('reads $what', ({ json, expected }) => {
    const event = readStatusEvent(bytes(json));

    expect(event).toMatchObject(expected);
  });

  it.each(dropped)('drops $what', ({ json, reason }) => {
    const reading = () => readStatusEvent(bytes(json));

    expect(reading).toThrow(UnreadableError);
    expect(reading).toThrow(reason);
  });

  it('drops bytes that start with a byte order mark', () => {
    const reading = () => readStatusEvent(new Uint8Array([0xef, 0xbb, 0xbf, ...bytes('{}')]));

    expect(reading).toThrow('is not valid JSON');
  });
});
