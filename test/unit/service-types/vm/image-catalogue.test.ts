import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Architecture,
  catalogued,
  cataloguedSource,
  compareVersions,
  defaultGuestOs,
  imageOwnersOf,
} from '../../../../shared/service-types/vm/image-catalogue.ts';
import { ImageSource } from '../../../../shared/service-types/vm/provisioning.ts';

const architectures: readonly Architecture[] = ['x86_64', 'arm64'];

describe('the image catalogue', () => {
  it('has the guest OSes of DCM’s catalogue items', () => {
    expect([...catalogued].sort()).toEqual([
      'amazon-linux-2023',
      'centos-stream-9',
      'debian-12',
      'fedora',
      'rhel-9',
      'ubuntu-22.04',
      'ubuntu-24.04',
      'windows-server-2022',
    ]);
    expect(catalogued).toContain(defaultGuestOs);
  });

  it.each(catalogued)('has the source of %s, and its SSH user', (guestOs) => {
    for (const architecture of architectures) {
      const source = cataloguedSource(guestOs, { architecture, partition: 'aws' });

      expect(ImageSource.safeParse(source).success).toBe(true);
      expect(source?.sshUser === undefined).toBe(guestOs.startsWith('windows'));
    }
  });

  it.each([
    ['amazon-linux-2023', '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64'],
    ['debian-12', '/aws/service/debian/release/12/latest/arm64'],
    ['ubuntu-24.04', '/aws/service/canonical/ubuntu/server/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id'],
  ])('has another parameter of %s for ARM', (guestOs, ssmParameter) => {
    expect(cataloguedSource(guestOs, { architecture: 'arm64', partition: 'aws' })).toMatchObject({
      ssmParameter,
    });
    expect(cataloguedSource(guestOs, { architecture: 'x86_64', partition: 'aws' })).not.toMatchObject({
      ssmParameter,
    });
  });

  it.each(['plan9', 'constructor', '__proto__', ''])('does not have %j', (guestOs) => {
    expect(cataloguedSource(guestOs, { architecture: 'x86_64', partition: 'aws' })).toBeUndefined();
  });
});

describe('the accounts of publishers', () => {
  it.each([
    ['aws', '309956199498'],
    ['aws-us-gov', '219670896067'],
    ['aws-cn', '841258680906'],
  ])('are different in partition %s', (partition, redHat) => {
    expect(cataloguedSource('rhel-9', { architecture: 'x86_64', partition })).toMatchObject({
      owner: redHat,
    });
    expect(imageOwnersOf({ images: {}, allowedImageOwners: [] }, partition)).toContain(redHat);
  });

  it.each(['aws-eusc', 'aws-iso', 'constructor', '__proto__'])(
    'are not guessed for partition %s',
    (partition) => {
      for (const guestOs of ['rhel-9', 'fedora', 'centos-stream-9'])
        expect(cataloguedSource(guestOs, { architecture: 'x86_64', partition })).toBeUndefined();
      expect(imageOwnersOf({ images: {}, allowedImageOwners: [] }, partition)).toEqual(['amazon']);
    },
  );
});

describe('the version of an image', () => {
  it.each([
    ['RHEL-9.9.0_HVM-20260908-x86_64-0-Hourly2-GP3', 'RHEL-9.10.0_HVM-20260728-x86_64-0-Hourly2-GP3'],
    ['RHEL-9.2.0_HVM-20260908-x86_64-2259-Hourly2-GP3', 'RHEL-9.6.0_HVM-20260728-x86_64-0-Hourly2-GP3'],
    ['RHEL-9.8_HVM-20260908-x86_64-0-Hourly2-GP3', 'RHEL-9.9.0_HVM-20260728-x86_64-0-Hourly2-GP3'],
    [
      'ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20260908',
      'ubuntu/images/hvm-ssd/ubuntu-questing-25.10-amd64-server-20260101',
    ],
    ['al2023-ami-2023.9.20260908.0-kernel-6.1-x86_64', 'al2023-ami-2023.10.20260101.0-kernel-6.1-x86_64'],
    ['Fedora-Cloud-Base-AmazonEC2.x86_64-43-1.6', 'Fedora-Cloud-Base-AmazonEC2.x86_64-44-1.2'],
    ['debian-12-amd64-20260914-2601', 'debian-13-amd64-20260101-1'],
    ['suse-sles-15-sp6-v20260908-hvm-ssd-x86_64', 'suse-sles-15-sp10-v20260101-hvm-ssd-x86_64'],
  ])('of %s is older than that of %s', (older, newer) => {
    expect(compareVersions(older, newer)).toBeLessThan(0);
    expect(compareVersions(newer, older)).toBeGreaterThan(0);
  });

  it.each([
    ['RHEL-9.6.0_HVM-20250519-x86_64-0-Hourly2-GP3', 'RHEL-9.6.0_HVM-20240605-x86_64-82-Hourly2-GP3'],
    ['RHEL-9.6_HVM-20250519-x86_64-0-Hourly2-GP3', 'RHEL-9.6.0_HVM-20240605-x86_64-0-Hourly2-GP3'],
    ['CentOS Stream 9 x86_64 20260801', 'CentOS Stream 9 x86_64 20230807'],
    ['golden-3fa9c1', 'golden-12ab34'],
    ['packer-base-1717171717', 'packer-base-1817171717'],
    ['golden', 'silver'],
  ])('is the same in %s and %s, so that the date decides', (one, other) => {
    expect(compareVersions(one, other)).toBe(0);
  });

  it('orders any names consistently', () => {
    const name = fc
      .array(fc.constantFrom('9', '10', '.', '-', '_', 'x86', 'v', 'sp', '20260101', 'a'), { maxLength: 8 })
      .map((parts) => parts.join(''));

    fc.assert(
      fc.property(name, name, name, (a, b, c) => {
        expect(Math.sign(compareVersions(a, b))).toBe(0 - Math.sign(compareVersions(b, a)));
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0)
          expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });
});
