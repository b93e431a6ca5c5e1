import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { examineAccount, ofClock, type WantedInAccount } from '../../../cli/doctor/account.ts';
import { wantedInAccount } from '../../../cli/doctor/deployment.ts';
import { parseSettings } from '../../../infra/settings/load-settings.ts';
import { keyCallers } from '../../../local/emulators/callers.ts';
import { clientConfig } from '../../../local/emulators/client-config.ts';
import { startEc2Simulator } from '../../../local/emulators/ec2/start-ec2-simulator.ts';
import { JsonApiError, jsonApi } from '../../../local/emulators/json-api.ts';
import { createQueue, startSqs } from '../../../local/emulators/sqs.ts';
import { startSts } from '../../../local/emulators/sts.ts';
import { serve } from '../../../local/processes/loopback.ts';

const home = '123456789012';
const wanted: WantedInAccount = {
  homeRegion: 'eu-west-1',
  stacks: [
    { name: 'dcm-ec2-sp', region: 'eu-west-1' },
    { name: 'dcm-ec2-sp-us-east-1', region: 'us-east-1' },
  ],
  regions: ['eu-west-1', 'us-east-1'],
  secrets: [{ name: 'dcm/nats', setting: 'nats.credentialsSecret' }],
  roles: [{ setting: 'containers.executionRoleArn', arn: `arn:aws:iam::${home}:role/dcm-containers` }],
  accounts: { prod: '222222222222' },
};

type Changes = {
  /** CloudFormation's status of a stack; undefined: there is none. */
  readonly status?: (stack: string) => string | undefined;
  /** EventBridge's state of a rule; undefined: there is none. */
  readonly state?: (rule: string) => string | undefined;
  readonly secret?: object | undefined;
  /** How many messages the queues of dcm-ec2-sp have, by their logical ids. */
  readonly messages?: Readonly<Record<string, number>>;
  /** The logical id of a queue that was deleted. */
  readonly deletedQueue?: string;
  /** Services that refuse the caller. */
  readonly denied?: readonly string[];
  readonly disabled?: string;
  readonly wanted?: Partial<WantedInAccount>;
};

const rulesOf: Readonly<Record<string, readonly string[]>> = {
  'dcm-ec2-sp': ['dcm-ec2-sp-InstanceEvents-1', 'dcm-ec2-sp-status|dcm-ec2-sp-Feed-2'],
  'dcm-ec2-sp-us-east-1': ['dcm-ec2-sp-us-east-1-InstanceEvents-3'],
};

const xml = (text: string, status = 200) =>
  new Response(text, { status, headers: { 'content-type': 'text/xml' } });
const xmlError = (code: string, status: number) =>
  xml(`<ErrorResponse><Error><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`, status);

const queuesOf: Readonly<Record<string, readonly string[]>> = {
  'dcm-ec2-sp': [
    ...['ObservationsQueueB6411693', 'ObservationsDeadLetters7832A974', 'InstanceEventsDeadLetters47AD9126'],
    ...['ClusterStepsQueue0A1B2C3D', 'ClusterStepsQueueDeadLetters0A1B2C3D'],
  ],
  'dcm-ec2-sp-us-east-1': ['InstanceEventsDeadLetters47AD9126'],
};

const sqs = await startSqs();
afterAll(() => sqs[Symbol.asyncDispose]());
let made = 0;

/** The URLs of queues of their own, by stack and logical id. */
const makeQueues = async ({ messages = {}, deletedQueue }: Changes): Promise<Map<string, string>> => {
  const client = new SQSClient(clientConfig(sqs.url));
  made += 1;
  const names = Object.entries(queuesOf).flatMap(([stack, ids]) => ids.map((id) => `${stack}-${id}`));
  const urls = new Map<string, string>();
  for (const name of names) urls.set(name, await createQueue(sqs.url, `${name}-${made}`));
  if (deletedQueue !== undefined) urls.set(`dcm-ec2-sp-${deletedQueue}`, `${sqs.url}/000000000000/deleted`);
  for (const [id, count] of Object.entries(messages))
    for (let sent = 0; sent < count; sent += 1)
      await client.send(
        new SendMessageCommand({ QueueUrl: urls.get(`dcm-ec2-sp-${id}`), MessageBody: '{}' }),
      );
  client.destroy();
  return urls;
};

const resource = (type: string, id: string, logicalId = 'R') =>
  `<member><PhysicalResourceId>${id}</PhysicalResourceId><LogicalResourceId>${logicalId}</LogicalResourceId><ResourceType>${type}</ResourceType></member>`;

/** Two pages of resources, each with a rule at most; the queues are on the first one. */
const resources = (stack: string, token: string | null, queues: ReadonlyMap<string, string>): string => {
  const [first = '', second] = rulesOf[stack] ?? [];
  const rule = resource('AWS::Events::Rule', token === null ? first : (second ?? ''));
  const all = (queuesOf[stack] ?? []).map((logicalId) =>
    resource('AWS::SQS::Queue', queues.get(`${stack}-${logicalId}`) ?? '', logicalId),
  );
  const more = second !== undefined && token === null;
  return `<R><StackResourceSummaries>${token === null ? all.join('') : ''}${rule}</StackResourceSummaries>${more ? '<NextToken>page 2</NextToken>' : ''}</R>`;
};

const cloudFormation = (
  form: URLSearchParams,
  { status = () => 'UPDATE_COMPLETE' }: Changes,
  queues: ReadonlyMap<string, string>,
): Response => {
  const stack = form.get('StackName') ?? '';
  const found = status(stack);
  if (found === undefined) return xmlError('ValidationError', 400);
  if (form.get('Action') === 'ListStackResources')
    return xml(resources(stack, form.get('NextToken'), queues));
  return xml(`<R><Stacks><member><StackStatus>${found}</StackStatus></member></Stacks></R>`);
};

const absent = new JsonApiError('ResourceNotFoundException', 'there is none');

const jsonServices = ({ state = () => 'ENABLED', ...changes }: Changes, asked: unknown[]) => ({
  events: jsonApi(
    new Map([
      [
        'DescribeRule',
        (input: unknown) => {
          asked.push(input);
          const found = state(String(Reflect.get(Object(input), 'Name')));
          if (found === undefined) throw absent;
          return { State: found };
        },
      ],
    ]),
    { service: 'events' },
  ),
  secretsmanager: jsonApi(
    new Map([
      [
        'DescribeSecret',
        () => {
          if ('secret' in changes && changes.secret === undefined) throw absent;
          return changes.secret ?? { VersionIdsToStages: { v1: ['AWSCURRENT'] } };
        },
      ],
    ]),
    { service: 'secretsmanager' },
  ),
});

/** An account of AWS behind one endpoint: STS, SQS and EC2 are the emulators, the others answer by AWS's protocols what is given. */
const account = async (changes: Changes = {}) => {
  const asked: unknown[] = [];
  const sts = await startSts({ roles: [], account: home });
  const ec2 = await startEc2Simulator({ emit: () => {}, callers: keyCallers(home) });
  const json = jsonServices(changes, asked);
  const queues = await makeQueues(changes);
  const services: Readonly<Record<string, (request: Request, body: string) => Promise<Response> | Response>> =
    {
      sts: (request, body) => fetch(sts.url, { method: 'POST', headers: request.headers, body }),
      ec2: async (request, body) => {
        const answer = await fetch(ec2.url, { method: 'POST', headers: request.headers, body });
        const text = await answer.text();
        const item = `<regionName>${changes.disabled}</regionName>`;
        const [before = '', after] = text.split(item);
        return xml(
          after === undefined ? text : before + item + after.replace('opt-in-not-required', 'not-opted-in'),
          answer.status,
        );
      },
      sqs: (request, body) => fetch(sqs.url, { method: 'POST', headers: request.headers, body }),
      cloudformation: (_, body) => cloudFormation(new URLSearchParams(body), changes, queues),
      events: (request, body) => json.events.fetch(new Request(request, { body, method: 'POST' })),
      secretsmanager: (request, body) =>
        json.secretsmanager.fetch(new Request(request, { body, method: 'POST' })),
    };
  const running = await serve(async (request) => {
    const [, service = ''] =
      /\/([a-z0-9]+)\/aws4_request/.exec(request.headers.get('authorization') ?? '') ?? [];
    if (service === '') return new Response('', { status: 302 }); // STS, without a signature
    const body = await request.text();
    if (changes.denied?.includes(service)) return xmlError('AccessDenied', 403);
    return (
      services[service]?.(
        new Request(request.url, { method: 'POST', headers: request.headers, body }),
        body,
      ) ?? xmlError('Unknown', 400)
    );
  });
  onTestFinished(async () => {
    for (const one of [running, ec2, sts]) await one[Symbol.asyncDispose]();
  });
  const credentials = async () => ({ accessKeyId: 'local', secretAccessKey: 'local' });
  const findings = await examineAccount(
    { credentials, endpoint: running.url, pauseMs: 0 },
    { ...wanted, ...changes.wanted },
  );
  return {
    asked,
    queues,
    findings,
    wrong: findings.filter(({ isWrong }) => isWrong).map(({ says }) => says),
  };
};

describe('doctor, with the credentials of this machine', () => {
  it('says what is well in the home account', async () => {
    const { asked, findings, wrong } = await account();

    expect(wrong).toEqual([]);
    expect(findings.map(({ says }) => says)).toEqual([
      expect.stringMatching(new RegExp(`^The AWS credentials are of the account ${home}: arn:aws:`)),
      "This machine's clock is that of AWS.",
      'The stack dcm-ec2-sp in eu-west-1 is deployed (UPDATE_COMPLETE).',
      'EventBridge has 2 rules of dcm-ec2-sp in eu-west-1 enabled.',
      'Messages for the function normaliser: 0 wait, 0 are delayed, 0 are being processed or retried.',
      'SQS has 2 dead-letter queues of dcm-ec2-sp in eu-west-1 empty.',
      'The stack dcm-ec2-sp-us-east-1 in us-east-1 is deployed (UPDATE_COMPLETE).',
      'EventBridge has 1 rule of dcm-ec2-sp-us-east-1 in us-east-1 enabled.',
      'SQS has 1 dead-letter queue of dcm-ec2-sp-us-east-1 in us-east-1 empty.',
      'The secret dcm/nats exists, and has a value.',
      'The account has eu-west-1, us-east-1 enabled.',
    ]);
    expect(asked).toContainEqual({ Name: 'dcm-ec2-sp-Feed-2', EventBusName: 'dcm-ec2-sp-status' });
  });

  it.each<[string, Changes, string | RegExp]>([
    [
      'the credentials are of another account of the settings',
      { wanted: { accounts: { prod: home } } },
      /^The AWS credentials are of the account 123456789012, which the settings have as prod; expected the home account, .*AWS_PROFILE\.$/,
    ],
    [
      'a role of the settings is of another account',
      { wanted: { roles: [{ setting: 'clusters.nodeRoleArn', arn: 'arn:aws:iam::999999999999:role/n' }] } },
      /^The AWS credentials are of the account 123456789012, and the setting clusters\.nodeRoleArn names a role of 999999999999; expected one account\./,
    ],
    [
      'a stack is missing',
      { status: (stack) => (stack === 'dcm-ec2-sp-us-east-1' ? undefined : 'CREATE_COMPLETE') },
      'The stack dcm-ec2-sp-us-east-1 in us-east-1 does not exist. Deploy, or use credentials of the account that it is in.',
    ],
    [
      'the last deployment was rolled back',
      { status: (stack) => (stack === 'dcm-ec2-sp' ? 'UPDATE_ROLLBACK_COMPLETE' : 'CREATE_COMPLETE') },
      /^The stack dcm-ec2-sp in eu-west-1 is UPDATE_ROLLBACK_COMPLETE: its last change failed\./,
    ],
    [
      'a deployment goes on',
      { status: (stack) => (stack === 'dcm-ec2-sp' ? 'UPDATE_IN_PROGRESS' : 'CREATE_COMPLETE') },
      /is being changed \(UPDATE_IN_PROGRESS\)\. Run this again/,
    ],
    [
      'a rule is disabled',
      { state: (rule) => (rule.endsWith('-2') ? 'DISABLED' : 'ENABLED') },
      'The EventBridge rule dcm-ec2-sp-Feed-2 in eu-west-1 is DISABLED; expected ENABLED. Run: aws events enable-rule --region eu-west-1 --name dcm-ec2-sp-Feed-2 --event-bus-name dcm-ec2-sp-status',
    ],
    [
      'a rule was deleted',
      { state: (rule) => (rule.endsWith('-3') ? undefined : 'ENABLED') },
      /^The EventBridge rule dcm-ec2-sp-us-east-1-InstanceEvents-3 .* was deleted; expected that it is enabled\./,
    ],
    [
      'messages are in a dead-letter queue',
      { messages: { ObservationsDeadLetters7832A974: 2 } },
      /^A dead-letter queue of dcm-ec2-sp in eu-west-1 has 2 messages; expected none\. docs\/runbook\.md, observations-dead-letters, says what to do\. Read them with: aws sqs receive-message --region eu-west-1 --message-attribute-names All --queue-url http:.*ObservationsDeadLetters/,
    ],
    [
      'nothing receives what waits in a queue',
      { messages: { ObservationsQueueB6411693: 3 } },
      '3 messages for the function normaliser wait, and nothing receives them. Is the event source of normaliser enabled, and is the function throttled (docs/runbook.md, normaliser-throttles)?',
    ],
    [
      'a queue was deleted',
      { deletedQueue: 'ObservationsQueueB6411693' },
      /^The queue http:.*\/deleted of dcm-ec2-sp in eu-west-1 was deleted; expected that it exists\./,
    ],
    [
      'a secret is missing',
      { secret: undefined },
      'The secret dcm/nats in eu-west-1, which the setting nats.credentialsSecret names, does not exist. Run: aws secretsmanager create-secret --region eu-west-1 --name dcm/nats --secret-string file://FILE',
    ],
    [
      'a secret is being deleted',
      { secret: { DeletedDate: 1, VersionIdsToStages: { v1: ['AWSCURRENT'] } } },
      /is being deleted\. Run: aws secretsmanager restore-secret/,
    ],
    ['a secret has no value', { secret: {} }, /has no value\. Run: aws secretsmanager put-secret-value/],
    [
      'a region is not opted in',
      { disabled: 'us-east-1' },
      /^The account has not enabled the region us-east-1, .*Run: aws account enable-region --region-name us-east-1/,
    ],
    [
      'a call is not permitted',
      { denied: ['secretsmanager'] },
      'The secret dcm/nats could not be checked: AWS answers AccessDenied to DescribeSecret, which your credentials may not',
    ],
  ])('says which, what was expected, and what to do where %s', async (_, changes, sentence) => {
    const { wrong } = await account(changes);

    expect(wrong).toEqual([typeof sentence === 'string' ? sentence : expect.stringMatching(sentence)]);
  });

  it('says of the queues alone that they could not be counted where that is not permitted', async () => {
    const { findings, wrong } = await account({ denied: ['sqs'] });

    expect(wrong).toEqual(
      wanted.stacks.map(
        ({ name, region }) =>
          `The queues of ${name} in ${region} could not be checked: AWS answers AccessDenied to GetQueueAttributes, which your credentials may not`,
      ),
    );
    expect(findings.map(({ says }) => says)).toContain(
      'EventBridge has 2 rules of dcm-ec2-sp in eu-west-1 enabled.',
    );
  });

  it('leaves the queue of cluster steps to its function, which counts it', async () => {
    const { findings, wrong } = await account({
      messages: { ClusterStepsQueue0A1B2C3D: 1, ClusterStepsQueueDeadLetters0A1B2C3D: 1 },
    });

    expect(wrong).toEqual([]);
    expect(findings.map(({ says }) => says)).toContain(
      'SQS has 2 dead-letter queues of dcm-ec2-sp in eu-west-1 empty.',
    );
  });

  it.each([
    ['ahead of', 420_000],
    ['behind', -420_000],
  ])("says that this machine's clock is %s that of AWS", async (words, skewMs) => {
    const running = await serve(() => new Response(''));
    onTestFinished(() => running[Symbol.asyncDispose]());

    const [finding] = await ofClock(running.url, 'AWS', () => Date.now() + skewMs);

    expect(finding?.isWrong).toBe(true);
    expect(finding?.says).toMatch(
      new RegExp(
        `^This machine's clock is 4(19|20|21) s ${words} that of AWS; expected at most 60 s\\..*NTP\\.$`,
      ),
    );
  });

  it('names the server that does not answer', async () => {
    await expect(ofClock('http://127.0.0.1:9', 'AWS')).rejects.toThrow('http://127.0.0.1:9 does not answer');
  });
});

describe('what the settings say about the home account', () => {
  const role = (name: string) => `arn:aws:iam::${home}:role/${name}`;
  const settings = parseSettings({
    ...{ homeRegion: 'eu-west-1', streamingRegions: ['us-east-1'], legacyRegions: ['me-south-1'] },
    nats: { urls: ['tls://nats.example.com:4222'], credentialsSecret: 'dcm/nats' },
    provisioning: {
      regions: { 'eu-west-1': {} },
      instanceProfiles: [{ profile: 'web', roleArn: role('web') }],
    },
    containers: {
      regions: { 'eu-west-1': { subnets: ['subnet-0123456789abcdef2'] } },
      executionRoleArn: role('pull'),
      taskRoles: [role('task')],
    },
    api: { tokenSecret: 'dcm/api' },
    agent: {
      ...{ url: 'https://agent.example.com', topic: 'aws', caller: 'endpointCredentials' },
      auth: { tokenSecret: 'dcm/agent' },
    },
    externalId: 'a-random-text-of-twenty-or-more',
    accounts: {
      prod: {
        ...{ id: '222222222222', streamingRegions: ['eu-west-1'], api: { tokenSecret: 'dcm/prod' } },
        provisioning: { regions: { 'eu-west-1': {} } },
      },
    },
    inventory: { tokens: [{ secret: 'dcm/inventory', scopes: ['inventory:read'] }] },
    console: { readers: ['dcm/reader', 'dcm/inventory'] },
  });

  it('is every stack, region, secret and role', () => {
    const { secrets, roles, ...others } = wantedInAccount(settings, undefined);

    expect(others).toEqual({
      homeRegion: 'eu-west-1',
      stacks: wanted.stacks,
      regions: ['eu-west-1', 'us-east-1', 'me-south-1'],
      accounts: { prod: '222222222222' },
    });
    expect(secrets.map(({ setting, name }) => `${setting}: ${name}`)).toEqual([
      'nats.credentialsSecret: dcm/nats',
      'api.tokenSecret: dcm/api',
      'accounts.prod.api.tokenSecret: dcm/prod',
      'agent.auth: dcm/agent',
      'inventory.tokens: dcm/inventory',
      'console.readers: dcm/reader',
    ]);
    expect(roles.map(({ arn }) => arn)).toEqual([role('pull'), role('task'), role('web')]);
  });

  it('is the home stack and what is about a target', () => {
    const [near, far] = [wantedInAccount(settings, 'us-east-1'), wantedInAccount(settings, 'prod/eu-west-1')];

    expect([near.stacks, near.regions]).toEqual([wanted.stacks, ['us-east-1']]);
    expect([far.stacks, far.regions]).toEqual([wanted.stacks.slice(0, 1), []]);
  });
});
