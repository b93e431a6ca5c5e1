import { InvalidArgumentError } from '../../../core/errors.ts';

/** One line: algorithm, base64, and a comment of printable characters. */
export const sshPublicKeyPattern =
  /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/]{16,}={0,3}( \P{Cc}*)?$/u;

/** EC2's limit, before base64. */
const maximumBytes = 16 * 1024;

/**
 * The user data for cloud-init, in base64: it adds the key to the default user of the image. A JSON list of strings is valid YAML, and a JSON
 * string escapes every character of a key that could end it.
 * @throws InvalidArgumentError for a key that is too large for EC2's user data.
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
