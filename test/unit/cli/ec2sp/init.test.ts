import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ec2sp, emptyFolder, withoutAwsCredentials } from './run.ts';

const where = ['--region', 'eu-west-1', '--nats-url', 'tls://nats.test:4222'];
const settings = { homeRegion: 'eu-west-1', nats: { urls: ['tls://nats.test:4222'] } };

/** A command line `aws` that notes its arguments, and the value of a new secret, and fails at what `fails` matches. */
const fakeAws = (fails: string) => {
  const folder = emptyFolder();
  const log = join(folder, 'log');
  writeFileSync(
    join(folder, 'aws'),
    `#!/bin/sh
echo "$@" >> ${log}
case "$*" in *create-secret*) for last; do :; done; cat "\${last#file://}" >> ${log}; echo >> ${log};; esac
case "$*" in ${fails}) exit 254;; *) echo 123456789012;; esac
`,
  );
  chmodSync(join(folder, 'aws'), 0o755);
  return { path: `${folder}:/usr/bin:/bin`, calls: () => readFileSync(log, 'utf8').trimEnd().split('\n') };
};

/** A folder of the program whose CDK notes its arguments. */
const fakeProgram = () => {
  const folder = emptyFolder();
  mkdirSync(join(folder, 'node_modules/aws-cdk/bin'), { recursive: true });
  for (const file of ['package.json', 'cdk.json', 'node_modules/aws-cdk/package.json'])
    writeFileSync(join(folder, file), '{}');
  writeFileSync(
    join(folder, 'node_modules/aws-cdk/bin/cdk'),
    `require('node:fs').appendFileSync(${JSON.stringify(join(folder, 'log'))}, process.argv.slice(2).join(' ') + '\\n')`,
  );
  return { folder, calls: () => readFileSync(join(folder, 'log'), 'utf8').trimEnd().split('\n') };
};

describe('ec2sp init', () => {
  it('prints with --dry-run what it would do, and does nothing', async () => {
    const folder = emptyFolder();
    writeFileSync(join(folder, 'ec2-sp.creds'), 'creds');

    const { exitCode, stdout, stderr } = await ec2sp(
      ['init', ...where, '--nats-creds', 'ec2-sp.creds', '--dry-run', '--no-input'],
      { folder },
    );

    expect(exitCode, stderr).toBe(0);
    expect(stdout).toBe(
      `${JSON.stringify({ ...settings, nats: { ...settings.nats, credentialsSecret: 'dcm/nats' } }, undefined, 2)}
aws secretsmanager create-secret --region eu-west-1 --name dcm/nats --secret-string file://${folder}/ec2-sp.creds
cdk bootstrap aws://ACCOUNT/eu-west-1
cdk deploy --all -c settings=${folder}/settings.json
`,
    );
    expect(stderr).toContain(
      "nsc add user --name ec2-sp --allow-pub 'dcm.vm,$JS.API.STREAM.NAMES' --allow-sub '_INBOX.>'\n",
    );
    expect(existsSync(join(folder, 'settings.json'))).toBe(false);
  });

  it('writes the settings to the file that --settings names, where it is not there yet', async () => {
    const folder = emptyFolder();

    const { exitCode, stdout, stderr } = await ec2sp(
      ['init', ...where, '--settings', 'production.json', '--dry-run', '--no-input'],
      { folder },
    );

    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain(`cdk deploy --all -c settings=${folder}/production.json\n`);
    expect(stdout).toContain(JSON.stringify(settings, undefined, 2));
  });

  it('writes the settings, stores the credentials, bootstraps, deploys, and examines the result', async () => {
    withoutAwsCredentials();
    const folder = emptyFolder();
    writeFileSync(join(folder, 'ec2-sp.creds'), 'the credentials');
    const [aws, program] = [fakeAws('*describe-secret*'), fakeProgram()];

    const { exitCode, stderr } = await ec2sp(
      ['init', ...where, '--nats-creds', 'ec2-sp.creds', '--no-input', '--yes'],
      { folder, env: { PATH: aws.path }, programFolder: program.folder },
    );

    expect(exitCode, stderr).toBe(1);
    expect(stderr).toContain('The deployment could not be examined: there are no AWS credentials');
    expect(JSON.parse(readFileSync(join(folder, 'settings.json'), 'utf8'))).toEqual({
      ...settings,
      nats: { ...settings.nats, credentialsSecret: 'dcm/nats' },
    });
    expect(stderr).toContain('This is about the AWS account 123456789012.\n');
    expect(aws.calls()).toEqual([
      'sts get-caller-identity --region eu-west-1 --query Account --output text',
      'secretsmanager describe-secret --region eu-west-1 --secret-id dcm/nats',
      `secretsmanager create-secret --region eu-west-1 --name dcm/nats --secret-string file://${folder}/ec2-sp.creds`,
      'the credentials',
    ]);
    expect(program.calls()).toEqual([
      `bootstrap aws://123456789012/eu-west-1 --output ${folder}/cdk.out`,
      `deploy --all -c settings=${folder}/settings.json --require-approval never --output ${folder}/cdk.out`,
    ]);
  });

  it('leaves out what is there, and makes a token that is in no argument', async () => {
    const folder = emptyFolder();
    const content = JSON.stringify({
      ...settings,
      inventory: undefined,
      provisioning: { regions: { 'eu-west-1': {} } },
      api: { tokenSecret: 'dcm/api' },
    });
    writeFileSync(join(folder, 'settings.json'), content);
    const [aws, program] = [fakeAws('*describe-secret*'), fakeProgram()];
    withoutAwsCredentials();

    const { stderr } = await ec2sp(['init', '--no-input'], {
      ...{ folder, env: { PATH: aws.path }, programFolder: program.folder },
    });

    expect(stderr).toContain(`The settings are those of ${folder}/settings.json, which is not changed.\n`);
    const [, , create, token] = aws.calls();
    expect(create).toMatch(/^secretsmanager create-secret .* --name dcm\/api --secret-string file:\/\/\S+$/);
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    expect(existsSync((create ?? '').replace(/^.*file:\/\//, ''))).toBe(false);
    expect(readFileSync(join(folder, 'settings.json'), 'utf8')).toBe(content);
  });

  it('changes nothing where no credentials work in the region', async () => {
    const folder = emptyFolder();
    const aws = fakeAws('sts*');

    const { exitCode, stderr } = await ec2sp(['init', ...where, '--no-input'], {
      folder,
      env: { PATH: aws.path },
    });

    expect(exitCode).toBe(1);
    expect(stderr).toContain('There are no AWS credentials that work in eu-west-1: log in');
    expect(aws.calls()).toHaveLength(1);
    expect(existsSync(join(folder, 'settings.json'))).toBe(false);
  });

  it('refuses flags that say something else than the settings that are there', async () => {
    const folder = emptyFolder();
    const text = JSON.stringify(settings);
    writeFileSync(join(folder, 'settings.json'), text);
    const run = (...flags: string[]) => ec2sp(['init', '--dry-run', ...flags], { folder });

    expect((await run(...where)).exitCode).toBe(0);
    const { exitCode, stderr } = await run('--region', 'us-east-1', '--nats-url', 'tls://other.test:4222');

    expect(exitCode).toBe(2);
    expect(stderr).toContain(
      'settings.json is there already: leave out --region (homeRegion is eu-west-1) and --nats-url (nats.urls is tls://nats.test:4222), or change that file.',
    );
    expect(readFileSync(join(folder, 'settings.json'), 'utf8')).toBe(text);
  });

  it('asks on a terminal', async () => {
    const { stdout, exitCode, stderr } = await ec2sp(['init', '--dry-run'], {
      typed: ['eu-west-1', 'tls://nats.test:4222'],
    });

    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain(JSON.stringify(settings, undefined, 2));
  });

  it('names the flag with --no-input, and a wrong answer', async () => {
    expect((await ec2sp(['init', '--no-input'])).stderr).toContain('give --region');
    const wrong = await ec2sp(['init', '--region', 'Ireland', '--nats-url', 'tls://nats.test:4222']);
    expect(wrong.stderr).toContain('Setting "homeRegion" must be an AWS region');
    expect(wrong.exitCode).toBe(1);
  });
});
