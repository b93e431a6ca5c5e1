import { InvalidArgumentError } from '../../../core/errors.ts';

/** One line: algorithm, base64, and a comment of printable characters. */
export const sshPublicKeyPattern =
  /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/]{16,}={0,3}( \P{Cc}*)?$/u;

/** EC2's limit, before base64. */
const maximumBytes = 16 * 1024;

/**
 * What cloud-init is told at the first boot, in base64: whose key may log in as the image's own user. A list of JSON texts is YAML too,
 * and no character of a key can end one.
 * @throws InvalidArgumentError for a key that EC2 cannot carry
 * @see https://docs.cloud-init.io/en/latest/reference/modules.html#ssh
 */
export const userData = (sshPublicKey: string): string => {
  const cloudConfig = `#cloud-config\n${JSON.stringify({ ssh_authorized_keys: [sshPublicKey] })}\n`;
  if (Buffer.byteLength(cloudConfig) > maximumBytes) {
    throw new InvalidArgumentError(
      `access.ssh_public_key: expected a key that fits into EC2's ${maximumBytes} bytes of user data`,
    );
  }
  return Buffer.from(cloudConfig).toString('base64');
};
