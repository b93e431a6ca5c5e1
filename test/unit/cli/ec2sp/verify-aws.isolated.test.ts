import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Ran } from '../../../../cli/ec2sp/aws-cli.ts';
import { type Behaviour, fakeAws } from './fake-aws.ts';
import { ec2sp } from './run.ts';

const mocked = vi.hoisted(() => ({
  aws: vi.fn<(context: unknown, args: readonly string[]) => Promise<Ran>>(),
  ms: 0,
}));
vi.mock('../../../../cli/ec2sp/aws-cli.ts', () => ({ runAws: mocked.aws }));
vi.mock('node:timers/promises', () => ({
  setTimeout: async (ms: number, _: unknown, { signal }: { signal?: AbortSignal } = {}) => {
    signal?.throwIfAborted();
    mocked.ms += ms;
  },
}));

const clock = {
  now: () => mocked.ms,
  pass: (ms: number) => {
    mocked.ms += ms;
  },
};

beforeEach(() => {
  mocked.ms = Date.parse('2026-01-01T00:00:00Z');
  vi.spyOn(Date, 'now').mockImplementation(clock.now);
});

const account = (behaviour: Behaviour = {}) => {
  const fake = fakeAws(clock, behaviour);
  mocked.aws.mockImplementation((_, args) => fake.run(args));
  return fake;
};

const all = [
  ...['verify-aws', '--region', 'eu-west-1', '--services', 'ec2,ecs,fargate,iam,aws-cli,eks'],
  ...['--cluster-role', 'arn:aws:iam::1:role/c', '--node-role', 'arn:aws:iam::1:role/n'],
];
const only = (services: string) => ['verify-aws', '--region', 'eu-west-1', '--services', services];

/** The rows of a table of Markdown, without its head. */
const rowsOf = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(1)
    .map((line) => line.split(' | ').map((one) => one.replace(/^\| | \|$/g, '')));

/** Which operations of AWS's command line these calls are of. */
const operations = (calls: readonly string[]): Set<string> =>
  new Set(calls.map((call) => call.split(' ').slice(0, 2).join(' ')));

/** What docs/unverified.md lists and no check can see from an account alone. */
const uncheckable = [
  // What a month's bill shows.
  'a task is billed until its network interface is released. AWS says: until the task terminates',
  'the download of the image, before RUNNING, is billed too; no status shows it',
  'a cluster is billed by the second from CREATING until it is gone. AWS publishes a price an hour',
  'each start of SUSE Linux is billed by whole hours of its own',
  // What no account shows.
  'agents of the older generation pass on `output_spec` of events',
  "the roles of the CDK's bootstrap are enough to deploy",
];

describe('ec2sp verify-aws', () => {
  it('finds everything as assumed where it is so, and leaves nothing behind', async () => {
    const fake = account();

    const { exitCode, stdout, stderr } = await ec2sp([...all, '--yes']);

    expect(rowsOf(stdout)).toHaveLength(20);
    expect(rowsOf(stdout).filter(([, , , verdict]) => verdict !== 'as assumed')).toEqual([]);
    expect(exitCode, stderr).toBe(0);
    expect([...fake.there]).toEqual([]);
  });

  it('checks every row of docs/unverified.md, in its words, that an account can show', async () => {
    account();
    const page = readFileSync(new URL('../../../../docs/unverified.md', import.meta.url), 'utf8');
    const listed = rowsOf(page).map(([service, assumed]) => ({ service, assumed }));

    const { stdout } = await ec2sp([...all, '--yes']);

    const checked = rowsOf(stdout).map(([service, assumed]) => ({ service, assumed }));
    expect(new Set(listed.filter(({ assumed = '' }) => !uncheckable.includes(assumed)))).toEqual(
      new Set(checked),
    );
    for (const one of uncheckable) expect(listed.map(({ assumed }) => assumed)).toContain(one);
  });

  it('prints with --dry-run the calls that it makes otherwise, with their cost, and makes none', async () => {
    const fake = account();

    const { exitCode, stdout, stderr } = await ec2sp([...all, '--dry-run', '--no-input']);

    expect(exitCode, stderr).toBe(0);
    expect(fake.calls).toEqual([]);
    expect(stderr).toContain('EC2: makes a t3.nano');
    expect(stderr).toContain('At most about $0.25, 35 min.');
    const printed = stdout.split('\n').filter((line) => line.startsWith('aws '));
    await ec2sp([...all, '--yes']);
    const made = operations(fake.calls);
    made.delete('sts get-caller-identity');
    made.delete('sqs delete-message-batch'); // only where an event came
    expect(operations(printed.map((line) => line.replace('aws ', '')))).toEqual(made);
  });

  it.each<[string, string, Behaviour, string, string]>([
    [
      'a public address',
      'ec2',
      { publicAddress: '192.0.2.1' },
      'without a subnet',
      'public address: 192.0.2.1',
    ],
    [
      'no default subnet',
      'ec2',
      { launchRefusal: 'No subnets found' },
      'without a subnet',
      'No subnets found',
    ],
    ['events twice', 'ec2', { eventsComeTwice: true }, 'each state', 'running 4 of 2'],
    ['events without group', 'ecs', { group: 'other' }, "RunTask's `group`", 'in 0 of 3 events'],
  ])('says what it found where it is otherwise: %s', async (_, services, behaviour, assumed, found) => {
    const fake = account(behaviour);

    const { exitCode, stdout } = await ec2sp([...only(services), '--yes']);

    const row = rowsOf(stdout).find(([, one]) => one?.startsWith(assumed));
    expect(row?.[2]).toContain(found);
    expect(row?.[3]).toBe('otherwise');
    expect(exitCode).toBe(3);
    expect([...fake.there]).toEqual([]);
  });

  it('says of what it could not see why', async () => {
    account({ hasOidcProvider: true, isNotDeployed: true, launchRefusal: 'no' });

    const { stdout } = await ec2sp([...only('iam,ec2'), '--yes']);

    const unseen = rowsOf(stdout).filter(([, , , verdict]) => verdict === 'not seen');
    expect(unseen.map(([, , found]) => found)).toEqual([
      'the account has the provider already',
      'the function ec2-sp-provider-api is not deployed here',
      ...Array.from({ length: 4 }, () => 'the checks ended before'),
    ]);
  });

  it.each([
    'ec2 run-instances',
    'ec2 stop-instances',
    'ecs run-task',
    'eks create-nodegroup',
    'eks create-cluster',
  ])('removes what it made after Ctrl-C during aws %s', async (during) => {
    const interruption = new AbortController();
    const fake = account({
      onCall: (call) => {
        if (call === during) interruption.abort();
      },
    });

    const { exitCode, stdout } = await ec2sp([...all, '--yes'], { interrupted: interruption.signal });

    expect(stdout).toContain('| interrupted | not seen |');
    expect(exitCode).toBe(130);
    expect([...fake.there]).toEqual([]);
  });

  it('names what it could not remove', async () => {
    const fake = account({ refusesToRemove: 'sqs delete-queue' });

    const { exitCode, stderr } = await ec2sp([...only('ec2'), '--yes']);

    expect(stderr).toMatch(
      /Could not be removed, and may cost money: queue ec2sp-verify-\w+-ec2: .*AccessDenied/,
    );
    expect(exitCode).toBe(1);
    expect([...fake.there]).toEqual(['queue']);
  });

  it('asks before it spends money', async () => {
    const fake = account();

    const refused = await ec2sp(only('ec2'), { typed: ['n'] });
    expect(refused.stderr).toContain('Spend at most about $0.01 in account');
    expect(refused.exitCode).toBe(1);
    expect(operations(fake.calls)).toEqual(new Set(['sts get-caller-identity']));
    expect((await ec2sp(only('aws-cli'), { typed: ['y'] })).exitCode).toBe(0);
  });

  it('spends nothing where nobody can be asked, and names wrong flags', async () => {
    const fake = account();

    expect((await ec2sp(only('ec2'))).stderr).toContain('give --yes, or --dry-run');
    expect((await ec2sp([...only('ec2,s3'), '--yes'])).stderr).toContain('s3 is no service');
    expect((await ec2sp([...only('eks'), '--yes'])).stderr).toContain('EKS needs --cluster-role');
    expect(fake.calls).toEqual([]);
  });

  it('prints its findings for programs with -o json', async () => {
    account();

    const { stdout } = await ec2sp([...only('aws-cli'), '--yes', '-o', 'json']);

    expect(JSON.parse(stdout)).toMatchObject({ results: [{ service: 'AWS CLI', verdict: 'as assumed' }] });
  });
});
