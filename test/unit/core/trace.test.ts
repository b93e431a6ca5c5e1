import { describe, expect, it } from 'vitest';
import { fnv1a, traceIdOf, traceparentOf } from '../../../shared/core/trace.ts';

describe('FNV-1a of 128 bits', () => {
  it.each([
    ['', '6c62272e07bb014262b821756295c58d'],
    ['a', 'd228cb696f1a8caf78912b704e4a8964'],
    ['foobar', '343e1662793c64bf6f0d3597ba446f18'],
  ])('is the published one of %j', (text, hash) => {
    expect(fnv1a(text)).toBe(hash);
  });
});

describe('the trace of a change', () => {
  const running = { id: 'i-1:1787394600:random:1', key: '17873946001' };

  it('is the same in a warning and in a republication of its status', () => {
    expect(traceIdOf('i-1', '17873946001-1787394660-again')).toBe(traceIdOf('i-1', running.key));
  });

  it('is another one for the next change, and for another resource', () => {
    const ids = [
      traceIdOf('i-1', running.key),
      traceIdOf('i-1', '17873946002'),
      traceIdOf('i-2', running.key),
    ];

    expect(new Set(ids).size).toBe(3);
  });

  it('is a traceparent as W3C defines it, with a span of its own for each status', () => {
    const traceparent = traceparentOf('i-1', running);
    const again = traceparentOf('i-1', {
      id: 'i-1:1787394660:other:again',
      key: '17873946001-1787394660-again',
    });

    expect(traceparent).toMatch(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$/);
    expect(traceparentOf('i-1', running)).toBe(traceparent);
    expect(again.split('-')[1]).toBe(traceparent.split('-')[1]);
    expect(again.split('-')[2]).not.toBe(traceparent.split('-')[2]);
  });
});
