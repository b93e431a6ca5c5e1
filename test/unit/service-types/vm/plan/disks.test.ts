import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../../../../shared/core/errors.ts';
import { disksOf } from '../../../../../shared/service-types/vm/plan/plan-launch.ts';
import { image } from '../../../../fakes/scripted-offerings.ts';

const boot = (gib: number) => ({ name: 'boot', gib });
const data = (gib: number, n = 0) => ({ name: `data-${n}`, gib });

describe('the disks of a VM', () => {
  it('are those of the image where the spec has none', () => {
    expect(disksOf({ disks: [] }, image())).toEqual([{ deviceName: '/dev/xvda', gib: 8 }]);
  });

  it('begin with the boot disk, with the image’s device name', () => {
    const rootDeviceName = '/dev/sda1';
    const disks = [data(5), boot(40), data(6, 1)];

    expect(disksOf({ disks }, image({ rootDeviceName }))).toEqual([
      { deviceName: '/dev/sda1', gib: 40 },
      { deviceName: '/dev/sdf', gib: 5 },
      { deviceName: '/dev/sdg', gib: 6 },
    ]);
  });

  it('include the image’s other disks, whose device names data disks do not get', () => {
    const volumes = [
      { deviceName: '/dev/sda1', gib: 8 },
      { deviceName: '/dev/sdf', gib: 100 },
    ];

    expect(disksOf({ disks: [boot(8), data(5)] }, image({ rootDeviceName: '/dev/sda1', volumes }))).toEqual([
      { deviceName: '/dev/sda1', gib: 8 },
      { deviceName: '/dev/sdf', gib: 100 },
      { deviceName: '/dev/sdg', gib: 5 },
    ]);
  });

  it('have Windows’ device names for Windows', () => {
    const disks = disksOf({ disks: [boot(30), data(5)] }, image({ platform: 'windows' }));

    expect(disks.at(-1)).toEqual({ deviceName: 'xvdf', gib: 5 });
  });

  it('are refused where the boot disk is smaller than the image (C2 6)', () => {
    const small = () => disksOf({ disks: [boot(7)] }, image());

    expect(small).toThrow(InvalidArgumentError);
    expect(small).toThrow('storage.disks: the boot disk of 7 GiB is too small');
    expect(small).toThrow('at least 8GB');
  });

  it('are refused where there are more than device names', () => {
    const some = (count: number) => ({
      disks: [boot(8), ...Array.from({ length: count }, (_, n) => data(1, n))],
    });

    expect(disksOf(some(11), image()).at(-1)?.deviceName).toBe('/dev/sdp');
    expect(() => disksOf(some(12), image())).toThrow('expected at most 11 disks besides boot, not 12');
  });
});
