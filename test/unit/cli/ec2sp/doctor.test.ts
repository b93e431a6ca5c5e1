import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { ec2sp, emptyFolder, withoutAwsCredentials } from './run.ts';

const withSettings = (): string => {
  const folder = emptyFolder();
  copyFileSync('infra/settings.example.json', join(folder, 'settings.json'));
  return folder;
};

describe('ec2sp doctor', () => {
  it('says that it needs the settings', async () => {
    const { exitCode, stderr } = await ec2sp(['doctor', '--region', 'eu-west-1']);

    expect(stderr).toMatch(/^What is expected stands in the settings: give --settings FILE/);
    expect(exitCode).toBe(2);
  });

  it('says once that there are no AWS credentials', async () => {
    withoutAwsCredentials();

    const { exitCode, stdout, stderr } = await ec2sp(['doctor'], { folder: withSettings() });

    expect(stderr).toMatch(
      /^The deployment could not be examined: there are no AWS credentials .*aws sso login/,
    );
    expect(stdout).toBe('');
    expect(exitCode).toBe(1);
  });

  it('makes every check where AWS does not answer, and says which could not be made, with 3 (L 17)', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:9');
    vi.stubEnv('AWS_MAX_ATTEMPTS', '1');

    const { exitCode, stdout } = await ec2sp(['doctor', '-o', 'json'], { folder: withSettings() });
    vi.unstubAllEnvs();

    const says: string[] = JSON.parse(stdout).results.map((finding: { says: string }) => finding.says);
    for (const what of [
      'account of the AWS credentials',
      'clock',
      'stack dcm-ec2-sp',
      'secret dcm/nats',
      'regions',
      'registration',
    ])
      expect(says.find((one) => one.includes(what))).toContain('could not be checked');
    expect(exitCode).toBe(3);
  });
});
