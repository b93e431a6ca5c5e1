import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../../../../shared/core/errors.ts';
import { userData } from '../../../../../shared/service-types/vm/plan/user-data.ts';
import { sshPublicKey } from '../../../../fixtures/vm-spec.ts';

const decoded = (key: string) => Buffer.from(userData(key), 'base64').toString();

describe('user data', () => {
  it('has cloud-init add the key', () => {
    expect(decoded(sshPublicKey)).toBe(`#cloud-config\n{"ssh_authorized_keys":["${sshPublicKey}"]}\n`);
  });

  it.each(['$(reboot)', '`id`', 'a"]} runcmd: [reboot]', "o'brien", '\\n- reboot', '#: {x}'])(
    'has one key whatever its comment says: %s (C 3)',
    (comment) => {
      const [header, config] = decoded(`${sshPublicKey} ${comment}`).split('\n');

      expect(header).toBe('#cloud-config');
      expect(JSON.parse(config ?? '')).toEqual({ ssh_authorized_keys: [`${sshPublicKey} ${comment}`] });
    },
  );

  it('is refused where it is too large for EC2', () => {
    const key = (length: number) => `ssh-rsa ${'A'.repeat(length)}`;

    expect(() => userData(key(16_000))).not.toThrow();
    expect(() => userData(key(16_384))).toThrow(InvalidArgumentError);
    expect(() => userData(key(16_384))).toThrow(
      "access.ssh_public_key: expected a key that fits into EC2's 16384 bytes",
    );
  });
});
