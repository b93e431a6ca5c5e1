import { describe, expect, it } from 'vitest';
import {
  type Architecture,
  catalogued,
  cataloguedSource,
  usualGuestOs,
} from '../../../shared/domain/image-catalogue.ts';
import { ImageSource } from '../../../shared/domain/provisioning.ts';

const architectures: readonly Architecture[] = ['x86_64', 'arm64'];

describe('the image catalogue', () => {
  it('has the systems that DCM’s catalogue items ask for', () => {
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
    expect(catalogued).toContain(usualGuestOs);
  });

  it.each(catalogued)('knows where %s comes from, and who logs in where SSH does', (guestOs) => {
    for (const architecture of architectures) {
      const source = cataloguedSource(guestOs, architecture);

      expect(ImageSource.safeParse(source).success).toBe(true);
      expect(source?.sshUser === undefined).toBe(guestOs.startsWith('windows'));
    }
  });

  it.each([
    ['amazon-linux-2023', '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64'],
    ['debian-12', '/aws/service/debian/release/12/latest/arm64'],
    ['ubuntu-24.04', '/aws/service/canonical/ubuntu/server/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id'],
  ])('has %s for ARM under another parameter', (guestOs, ssmParameter) => {
    expect(cataloguedSource(guestOs, 'arm64')).toMatchObject({ ssmParameter });
    expect(cataloguedSource(guestOs, 'x86_64')).not.toMatchObject({ ssmParameter });
  });

  it.each(['plan9', 'constructor', '__proto__', ''])('has no %j', (guestOs) => {
    expect(cataloguedSource(guestOs, 'x86_64')).toBeUndefined();
  });
});
