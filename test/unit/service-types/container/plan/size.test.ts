import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fargateSize } from '../../../../../shared/service-types/container/plan/size.ts';

/** Every pair that Fargate has, by AWS's table. */
const range = (from: number, to: number, step: number) =>
  Array.from({ length: (to - from) / step + 1 }, (_, index) => (from + index * step) * 1024);
const pairs = [
  ...[512, 1024, 2048].map((memory) => [256, memory]),
  ...range(1, 4, 1).map((memory) => [512, memory]),
  ...range(2, 8, 1).map((memory) => [1024, memory]),
  ...range(4, 16, 1).map((memory) => [2048, memory]),
  ...range(8, 30, 1).map((memory) => [4096, memory]),
  ...range(16, 60, 4).map((memory) => [8192, memory]),
  ...range(32, 120, 8).map((memory) => [16_384, memory]),
];

const sizeOf = (milli: number, mib: number) =>
  fargateSize({ cpu: { min: milli, max: milli }, memoryMib: { min: mib, max: mib } });

describe('the size of a Fargate task', () => {
  it.each([
    [1000, 256, 1024, 2048],
    [250, 6, 256, 512],
    [250, 513, 256, 1024],
    [500, 1024, 512, 1024],
    [300, 4096, 512, 4096],
    [1000, 8193, 2048, 9216],
    [8000, 16_385, 8192, 20_480],
    [16_000, 122_880, 16_384, 122_880],
  ])('for %d m and %d MiB is %d units and %d MiB', (milli, mib, cpuUnits, memoryMib) => {
    expect(sizeOf(milli, mib)).toEqual({ cpuUnits, memoryMib });
  });

  it('is a pair that Fargate has, with at least what is asked for and nothing smaller, or is refused (CC 15)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 17_000 }), fc.integer({ min: 6, max: 124_000 }), (milli, mib) => {
        const fitting = pairs.filter(
          ([cpu = 0, memory = 0]) => cpu >= (milli * 1024) / 1000 && memory >= mib,
        );
        if (fitting.length === 0) {
          expect(() => sizeOf(milli, mib)).toThrow(expect.objectContaining({ code: 'unprocessable' }));
          return;
        }
        const { cpuUnits, memoryMib } = sizeOf(milli, mib);
        expect([cpuUnits, memoryMib]).toEqual(fitting[0]);
      }),
    );
  });
});
