import { describe, expect, it } from 'vitest';
import { examine, examineTarget, type Wanted } from '../../../cli/doctor/examine.ts';
import type { ListedProvider } from '../../../shared/wire/dcm-provider.ts';

const streams = ['dcm-agent-requests', 'aws-retry'];
const endpoint = 'https://api.test/api/v1alpha1/vms';
const ours: ListedProvider = {
  ...{ id: '1', name: 'ec2-sp', service_type: 'vm', type: 'external', status: 'Ready', endpoint },
};
const region = {
  ...{ region: 'eu-west-1', row: 'ec2-sp', kind: 'agent', url: 'https://agent.test', endpoint },
  providers: [ours],
};
/** A health as the provider-api answers it to API Gateway. */
const health = (fields: object = {}, statusCode = 200) => {
  const all = {
    status: 'healthy',
    version: '1.2.3',
    uptime: 5,
    type: 'ec2-sp.dcm.io/health',
    path: 'health',
  };
  return { statusCode, body: JSON.stringify({ ...all, ...fields }) };
};
const idle = { waiting: 0, received: 0, delayed: 0, deadLetters: 0 };
/** Whether a request to the API has credentials. */
const hasToken = (request: object): boolean =>
  'headers' in request && Object.hasOwn(Object(request.headers), 'authorization');
/** A listing that was complete so many seconds ago. */
const listing = (region: string, ageSeconds: number | undefined, fields: object = {}) => ({
  ...{ region, intervalSeconds: 300, instances: 1, republishWanted: false, ...fields },
  ...(ageSeconds !== undefined && { lastListedAt: new Date(Date.now() - ageSeconds * 1000).toISOString() }),
});
const healthy = {
  inspect: { regions: [region] },
  probe: { connected: true },
  'list-streams': { names: ['dcm-status', ...streams], requestStreams: streams },
  'find-request': { resourceId: null },
  '/api/v1alpha1/vms/health': health(),
  '/api/v1alpha1/containers/health': health(),
  '/us-east-1/api/v1alpha1/clusters/health': health(),
  credentials: { statusCode: 401, body: '' },
  steps: [idle],
  regions: { regions: [listing('eu-west-1', 60)] },
};

/** What the doctor says of functions that answer so; a text is an error. `steps` are the answers of cluster-steps, the last one repeated. */
const saysOf = async (
  answers: Partial<Record<keyof typeof healthy, unknown>>,
  wanted?: Wanted,
  version?: string,
) => {
  const all: Record<string, unknown> = { ...healthy, ...answers };
  const steps = Array.isArray(all.steps) ? [...all.steps] : [all.steps];
  const answerOf = (box: string, request: object): unknown => {
    if (box === 'cluster-steps') return steps.length > 1 ? steps.shift() : steps[0];
    if ('headers' in request && Object.hasOwn(Object(request.headers), 'authorization'))
      return all.credentials;
    if ('rawPath' in request) return all[String(request.rawPath)];
    return 'do' in request ? all[String(request.do)] : undefined;
  };
  const invoke = async (box: string, request: object): Promise<unknown> => {
    const answer = answerOf(box, request);
    if (typeof answer === 'string') throw new Error(answer);
    return answer;
  };
  const findings = await examine(invoke, wanted, { pauseMs: 0, version });
  return { all: findings, wrong: findings.filter(({ isWrong }) => isWrong).map(({ says }) => says) };
};
const withRegion = (change: object) => ({ inspect: { regions: [{ ...region, ...change }] } });
const withProvider = (change: object) => withRegion({ providers: [{ ...ours, ...change }] });

/** For how long DCM's stream drops a status that it has had. */
const withWindow = (duplicateWindowMs: number | undefined) => ({
  'list-streams': {
    ...healthy['list-streams'],
    statusStreams: [{ name: 'dcm-status', duplicateWindowMs }],
  },
});

describe('npm run doctor', () => {
  it('says what is well, and asks for nothing (Y 9)', async () => {
    const { all, wrong } = await saysOf({});

    expect(wrong).toEqual([]);
    expect(all.map(({ says }) => says)).toEqual([
      'eu-west-1: ec2-sp is registered at the environment agent at https://agent.test, and Ready.',
      'eu-west-1: the health of VMs: healthy.',
      'eu-west-1: the API refuses a token that nobody has.',
      'NATS takes statuses.',
      'Statuses are published on dcm.vm.',
      'NATS has the stream dcm-agent-requests.',
      'NATS has the stream aws-retry.',
      'A create by Idempotency-Key can be looked up: a dry look-up read every stream.',
      'All listings of eu-west-1 are recent.',
    ]);
  });

  it.each([
    [
      'an embedded provider has the service type (Y 9)',
      withProvider({ name: 'vm', type: 'embedded' }),
      'eu-west-1: the environment agent at https://agent.test serves VMs by its embedded provider vm. Take vm out of its AGENT_EMBEDDED_SPS and restart it; the registration follows within a minute.',
    ],
    [
      'another external provider has it',
      withProvider({ name: 'kubevirt' }),
      /has the provider kubevirt for VMs, and takes one\. Use another agent, or stop kubevirt/,
    ],
    [
      'nothing is registered yet',
      withRegion({ providers: [] }),
      /^eu-west-1: ec2-sp is not registered at .* The registration tries every minute/,
    ],
    [
      'the agent calls the provider unhealthy',
      withProvider({ status: 'Unhealthy' }),
      /which calls it Unhealthy\. GET https:\/\/api\.test\/api\/v1alpha1\/vms\/health must be answered 200/,
    ],
    [
      'another deployment has registered the name',
      withProvider({ endpoint: 'https://other.test/api/v1alpha1/vms' }),
      /Another deployment may have the same provider\.name\.$/,
    ],
    [
      'the agent wants a token',
      withRegion({ providers: [], failure: 'HTTP 401: invalid Bearer token' }),
      /does not list its providers: HTTP 401: invalid Bearer token\. Set or correct agent\.auth/,
    ],
    [
      'the agent is not reached',
      withRegion({ providers: [], failure: 'connect ECONNREFUSED' }),
      /Check agent\.url, and agent\.vpc where its address is private\.$/,
    ],
    [
      'the registration is not deployed',
      { inspect: 'ec2-sp-registration: Function not found' },
      'The registration could not be checked: ec2-sp-registration: Function not found',
    ],
    [
      'NATS is down',
      { probe: { connected: false, reason: 'NATS cannot be connected' } },
      'NATS does not take statuses: NATS cannot be connected. Check nats.urls and its credentials.',
    ],
    [
      'a stream may not be read (Y 9)',
      {
        probe: {
          connected: true,
          unreadableRequests: 'the NATS user may not publish on $JS.API.STREAM.MSG.GET.aws-retry',
        },
      },
      /may not publish on \$JS\.API\.STREAM\.MSG\.GET\.aws-retry\. Allow it to the NATS user, as the stack's output NatsPermissions has it\.$/,
    ],
    [
      'the topic is not the agent’s (Y 9)',
      { 'list-streams': { names: ['dcm-agent-requests', 'other-retry'], requestStreams: streams } },
      'NATS has no stream aws-retry. The agent creates it when it starts: agent.topic must be its AGENT_TOPIC_NAME, else its AGENT_NAME. Streams of agents there are: other-retry.',
    ],
    [
      'this is not DCM’s NATS',
      { 'list-streams': { names: ['aws-retry'], requestStreams: streams } },
      "NATS has no stream dcm-agent-requests. DCM's control plane creates it: is this DCM's NATS?",
    ],
    [
      'the stream forgets too early what it has had',
      withWindow(30_000),
      'The stream dcm-status drops a status that it has had within 30 s; expected at least 105 s, within which a status whose acknowledgement was lost is published again. DCM would get it twice. DCM sets 120 s when it starts: restart its control plane, or run: nats stream edit dcm-status --dupe-window 2m',
    ],
    [
      'no stream has the subject of containers',
      {
        probe: {
          connected: false,
          reason:
            'no stream has the subject dcm.container (DCM creates its stream dcm-status when it starts)',
        },
      },
      /^NATS does not take statuses: no stream has the subject dcm\.container/,
    ],
    [
      'EC2 does not allow the call',
      {
        '/api/v1alpha1/vms/health': health({
          status: 'unhealthy',
          detail: 'EC2 in eu-west-1 answers UnauthorizedOperation to DescribeInstances',
        }),
      },
      'eu-west-1: the health of VMs: unhealthy, EC2 in eu-west-1 answers UnauthorizedOperation to DescribeInstances.',
    ],
    [
      'no resources of the service type are created there',
      { '/api/v1alpha1/vms/health': health({ title: 'Not found' }, 404) },
      /^eu-west-1: the health of VMs: HTTP 404: /,
    ],
    [
      'the provider-api fails',
      { '/api/v1alpha1/vms/health': 'ec2-sp-provider-api: timed out' },
      'eu-west-1: the health of VMs could not be checked: ec2-sp-provider-api: timed out',
    ],
    [
      'the API cannot read the secret with its token',
      { credentials: { statusCode: 503, body: '{"detail":"the credentials cannot be checked"}' } },
      /^eu-west-1: the API answers HTTP 503 to a token that nobody has; expected 401: .*cannot read the secret of api\.tokenSecret/,
    ],
    [
      'the look-up fails',
      { 'find-request': 'ec2-sp-nats-bridge: aws-retry cannot be read' },
      'The look-up of a create could not be checked: ec2-sp-nats-bridge: aws-retry cannot be read',
    ],
  ])('says what to do where %s', async (_, answers, sentence) => {
    const { wrong } = await saysOf(answers);

    expect(wrong).toEqual([typeof sentence === 'string' ? sentence : expect.stringMatching(sentence)]);
  });

  it.each([
    [120_000, 'The stream dcm-status drops a status that it has had within 120 s.'],
    [105_000, 'The stream dcm-status drops a status that it has had within 105 s.'],
    [
      undefined,
      'For how long the stream dcm-status drops repeated statuses is not known, because the NATS user may not publish on $JS.API.STREAM.INFO.dcm-status; expected at least 105 s, within which a status whose acknowledgement was lost is published again. See the duplicate window in: nats stream info dcm-status',
    ],
  ])('says for how long repeated statuses are dropped, or that it may not be asked: %s', async (ms, says) => {
    const { all, wrong } = await saysOf(withWindow(ms));

    expect(wrong).toEqual([]);
    expect(all.map((one) => one.says)).toContain(says);
  });

  it('compares the version that is deployed with that of the command line', async () => {
    const [same, other] = [await saysOf({}, undefined, '1.2.3'), await saysOf({}, undefined, '1.3.0')];

    expect(same.wrong).toEqual([]);
    expect(same.all.map(({ says }) => says)).toContain(
      'The version 1.2.3 is deployed, which this command line has too.',
    );
    expect(other.wrong).toEqual([
      'The version 1.2.3 is deployed, and this command line has 1.3.0; expected the same. Deploy, or use the command line of 1.2.3.',
    ]);
  });

  it('says to deploy where the settings are not what is deployed', async () => {
    const wanted: Wanted = {
      urls: { 'eu-west-1': 'https://agent-2.test' },
      created: { 'eu-west-1': ['container'] },
      requestStreams: ['dcm-agent-requests'],
      statusSubjects: ['dcm.vm', 'dcm.container'],
    };

    const { wrong } = await saysOf({}, wanted);

    expect(wrong).toEqual([
      'eu-west-1: the settings have containers created, and what is deployed does not register them. Deploy.',
      'eu-west-1: what is deployed registers VMs, and the settings do not have them created. Deploy.',
      'eu-west-1: the settings name https://agent-2.test, and what is deployed uses https://agent.test. Deploy.',
      'The settings have statuses published on dcm.vm, dcm.container, and what is deployed on dcm.vm. Deploy.',
      'The settings have creates looked up on dcm-agent-requests, and what is deployed on dcm-agent-requests, aws-retry. Deploy.',
    ]);
  });

  it('asks no function for registrations where the settings have nothing registered', async () => {
    const reporting = { urls: {}, created: {}, requestStreams: [], statusSubjects: ['dcm.vm'] };
    const { all, wrong } = await saysOf(
      {
        inspect: 'ec2-sp-registration: there is no such function',
        'list-streams': { names: ['dcm-status'], requestStreams: [] },
      },
      reporting,
    );

    expect(wrong).toEqual([]);
    expect(all.map(({ says }) => says)).toEqual([
      'NATS takes statuses.',
      'Statuses are published on dcm.vm.',
      'Creates are not looked up: the settings have no environment agent.',
      'All listings of eu-west-1 are recent.',
    ]);
  });

  it('looks nothing up for a DCM without environment agents', async () => {
    const older = {
      ...region,
      kind: 'control-plane',
      providers: [{ ...ours, status: undefined, type: undefined }],
    };

    const { all, wrong } = await saysOf(
      {
        inspect: { regions: [older] },
        'list-streams': { names: ['dcm-status'], requestStreams: [] },
        'find-request': 'AGENT_REQUESTS_STREAM is not set',
      },
      {
        ...{ urls: { 'eu-west-1': 'https://agent.test/' }, created: { 'eu-west-1': ['vm'] } },
        ...{ requestStreams: [], statusSubjects: ['dcm.vm'] },
      },
    );

    expect(wrong).toEqual([]);
    expect(all[0]?.says).toBe('eu-west-1: ec2-sp is registered at the control plane at https://agent.test.');
  });
});

/** Containers in eu-west-1, and clusters in us-east-1 at an agent of its own. */
const container = {
  ...{ ...region, serviceType: 'container', row: 'ec2-sp-container' },
  endpoint: 'https://api.test/api/v1alpha1/containers',
};
const cluster = {
  ...{ ...region, region: 'us-east-1', serviceType: 'cluster', row: 'ec2-sp-cluster-us-east-1' },
  endpoint: 'https://api.test/us-east-1/api/v1alpha1/clusters',
};
const registered = ({
  row: name,
  serviceType: service_type,
  endpoint: at,
}: typeof container): ListedProvider => ({
  ...{ ...ours, name, service_type, endpoint: at },
});
const subjects = ['dcm.vm', 'dcm.container', 'dcm.cluster'];
const withAll = {
  inspect: {
    regions: [
      { ...region, providers: [ours, registered(container)] },
      { ...container, providers: [ours, registered(container)] },
      { ...cluster, providers: [registered(cluster)] },
    ],
  },
  'list-streams': { ...healthy['list-streams'], statusSubjects: subjects },
};

describe('npm run doctor with containers and clusters', () => {
  it('says of each service type that it is registered and healthy, and that steps of clusters are taken', async () => {
    const { all, wrong } = await saysOf(
      { ...withAll, steps: [{ ...idle, delayed: 2, received: 1 }] },
      {
        urls: { 'eu-west-1': 'https://agent.test', 'us-east-1': 'https://agent.test' },
        created: { 'eu-west-1': ['vm', 'container'], 'us-east-1': ['cluster'] },
        ...{ requestStreams: streams, statusSubjects: subjects },
      },
    );

    expect(wrong).toEqual([]);
    expect(all.map(({ says }) => says)).toEqual(
      expect.arrayContaining([
        'eu-west-1: ec2-sp-container is registered at the environment agent at https://agent.test, and Ready.',
        'us-east-1: ec2-sp-cluster-us-east-1 is registered at the environment agent at https://agent.test, and Ready.',
        'eu-west-1: the health of containers: healthy.',
        'us-east-1: the health of clusters: healthy.',
        'Statuses are published on dcm.vm, dcm.container, dcm.cluster.',
        'Requests for steps of clusters: 0 wait, 2 are delayed, 1 are being processed or retried.',
      ]),
    );
  });

  it.each([
    [
      'the agent has an embedded provider of containers',
      {
        inspect: {
          regions: [
            {
              ...container,
              providers: [{ ...ours, name: 'k8s', service_type: 'container', type: 'embedded' }],
            },
          ],
        },
      },
      'eu-west-1: the environment agent at https://agent.test serves containers by its embedded provider k8s. Take container out of its AGENT_EMBEDDED_SPS and restart it; the registration follows within a minute.',
    ],
    [
      'the ECS cluster is missing',
      {
        '/api/v1alpha1/containers/health': health({
          status: 'unhealthy',
          detail: 'the ECS cluster of eu-west-1 is missing',
        }),
      },
      'eu-west-1: the health of containers: unhealthy, the ECS cluster of eu-west-1 is missing.',
    ],
    [
      'EKS does not allow the call',
      {
        '/us-east-1/api/v1alpha1/clusters/health': health({
          status: 'unhealthy',
          detail: 'EKS in us-east-1 answers HTTP 403 to ListClusters',
        }),
      },
      'us-east-1: the health of clusters: unhealthy, EKS in us-east-1 answers HTTP 403 to ListClusters.',
    ],
    [
      'requests for steps are in the dead-letter queue',
      { steps: [{ ...idle, deadLetters: 2 }] },
      '2 requests for steps of clusters are in the dead-letter queue (docs/runbook.md, cluster-steps-dead-letters).',
    ],
    [
      'nothing receives requests for steps',
      { steps: [{ ...idle, waiting: 3 }] },
      /^3 requests for steps of clusters wait, and nothing receives them\. Is the event source of cluster-steps enabled/,
    ],
    [
      'the function of steps is not deployed',
      { steps: ['ec2-sp-cluster-steps: Function not found'] },
      'The queue of cluster steps could not be checked: ec2-sp-cluster-steps: Function not found',
    ],
  ])('says what to do where %s', async (_, answers, sentence) => {
    const { wrong } = await saysOf({ ...withAll, ...answers });

    expect(wrong).toEqual([typeof sentence === 'string' ? sentence : expect.stringMatching(sentence)]);
  });

  it('looks twice at requests that wait, since a function that works takes them meanwhile', async () => {
    const { wrong } = await saysOf({ ...withAll, steps: [{ ...idle, waiting: 3 }, idle] });

    expect(wrong).toEqual([]);
  });

  it('says once what is wrong with an agent that several service types are registered at', async () => {
    const failure = 'connect ECONNREFUSED';
    const regions = [region, container].map((one) => ({ ...one, providers: [], failure }));

    const { wrong } = await saysOf({ inspect: { regions } });

    expect(wrong).toEqual([expect.stringMatching(/does not list its providers: connect ECONNREFUSED\./)]);
  });

  it.each([
    [
      'was never complete',
      listing('container#eu-west-1', undefined),
      /eu-west-1: the listing of containers was never completed/,
    ],
    [
      'is late',
      listing('eu-west-1', 1_000),
      /eu-west-1: the listing of VMs was last completed 17 minutes ago/,
    ],
    [
      'has a breaker',
      listing('eu-west-1', 1, { breakerSince: '2026-01-01T00:00:00Z' }),
      /lacks many resources since 2026-01-01T00:00:00Z/,
    ],
  ])('says that a listing %s', async (_, one, expected) => {
    const { wrong } = await saysOf({ regions: { regions: [one] } });

    expect(wrong).toEqual([expect.stringMatching(expected)]);
  });

  it('leaves out collections that only the inventory has', async () => {
    const { wrong } = await saysOf({ regions: { regions: [listing('volumes#eu-west-1', undefined)] } });

    expect(wrong).toEqual([]);
  });
});

describe('npm run doctor with a target', () => {
  const nowMs = Date.parse('2026-11-30T10:00:00Z');
  const listing = (name: string, more: object = {}) => ({
    ...{ region: name, lastListedAt: '2026-11-30T09:56:00.000Z', intervalSeconds: 300 },
    ...{ instances: 3, republishWanted: false, ...more },
  });
  const inProd = {
    ...region,
    ...{ region: 'prod/eu-west-1', row: 'ec2-sp-prod-eu-west-1', url: 'https://agent-prod.test' },
    endpoint: 'https://api.test/prod/eu-west-1/api/v1alpha1/vms',
    providers: [
      {
        ...{ ...ours, name: 'ec2-sp-prod-eu-west-1' },
        endpoint: 'https://api.test/prod/eu-west-1/api/v1alpha1/vms',
      },
    ],
  };
  const broken = { ...region, providers: [], failure: 'connect ECONNREFUSED' };
  const listed = [
    listing('eu-west-1', { lastListedAt: undefined }),
    listing('prod/eu-west-1'),
    listing('container#prod/eu-west-1'),
    listing('volumes#prod/eu-west-1', { intervalSeconds: 3_600, lastListedAt: '2026-11-30T08:00:00.000Z' }),
    listing('audit/us-east-1'),
  ];

  const saysOfTarget = async (
    target: string,
    {
      regions = listed,
      inspect = [broken, inProd],
      wanted,
      trial = { instanceType: 't3.medium', imageId: 'ami-1' },
    }: {
      readonly trial?: object;
      readonly regions?: readonly object[] | string;
      readonly inspect?: readonly object[] | string;
      readonly wanted?: Wanted;
    } = {},
  ) => {
    const asked: unknown[] = [];
    const answers: Readonly<Record<string, readonly object[] | string>> = {
      ...{ poller: regions, registration: inspect },
    };
    const answerOf = (request: object) => {
      if (hasToken(request)) return healthy.credentials;
      asked.push('rawPath' in request ? request.rawPath : request);
      return 'rawPath' in request ? health() : { statusCode: 200, body: JSON.stringify(trial) };
    };
    const invoke = async (box: string, request: object) => {
      if (box === 'provider-api') return answerOf(request);
      asked.push(box);
      const answer = answers[box];
      if (typeof answer === 'string') throw new Error(answer);
      return { regions: answer };
    };
    const findings = await examineTarget(invoke, target, { wanted, now: () => nowMs });
    return { asked, says: findings.map(({ isWrong, says }) => `${isWrong ? 'wrong' : 'well'}: ${says}`) };
  };

  it('says what is well there, and nothing of other targets', async () => {
    const { asked, says } = await saysOfTarget('prod/eu-west-1');

    expect(says).toEqual([
      'well: prod/eu-west-1: the listing of VMs was completed at 2026-11-30T09:56:00.000Z.',
      'well: prod/eu-west-1: the listing of containers was completed at 2026-11-30T09:56:00.000Z.',
      'well: prod/eu-west-1: the listing of volumes was completed at 2026-11-30T08:00:00.000Z.',
      'well: prod/eu-west-1: ec2-sp-prod-eu-west-1 is registered at the environment agent at https://agent-prod.test, and Ready.',
      'well: prod/eu-west-1: the health of VMs: healthy.',
      'well: prod/eu-west-1: the API refuses a token that nobody has.',
      "well: prod/eu-west-1: EC2's dry run launches a VM of defaults, t3.medium from ami-1.",
    ]);
    expect(asked).toEqual([
      ...['poller', 'registration', '/prod/eu-west-1/api/v1alpha1/vms/health'],
      { do: 'try-launch', target: 'prod/eu-west-1' },
    ]);
  });

  it('says why a VM could not be launched there', async () => {
    const refusal = 'EC2 answers UnauthorizedOperation to RunInstances';

    const { says } = await saysOfTarget('prod/eu-west-1', { trial: { refusal } });

    expect(says.at(-1)).toMatch(
      /^wrong: prod\/eu-west-1: a VM of defaults could not be launched: EC2 answers UnauthorizedOperation .*docs\/accounts\.md/,
    );
  });

  it.each([
    [{ lastListedAt: undefined }, /^wrong: .* the listing of VMs was never completed\. .*docs\/accounts\.md/],
    [{ lastListedAt: '2026-11-30T09:40:00Z' }, /^wrong: .* was last completed 20 minutes ago\. /],
    [{ breakerSince: '2026-11-30T09:50:00Z' }, /^wrong: .* lacks many resources since 2026-11-30T09:50/],
  ])('says what the poller could not read there with its role: %j', async (more, says) => {
    const regions = [listing('prod/eu-west-1', more)];

    expect((await saysOfTarget('prod/eu-west-1', { regions })).says[0]).toMatch(says);
  });

  it('compares it with the settings', async () => {
    const wanted: Wanted = {
      ...{ urls: { 'eu-west-1': 'https://a.test', 'prod/eu-west-1': 'https://other.test' } },
      created: { 'eu-west-1': ['cluster'], 'prod/eu-west-1': ['vm', 'container'] },
      ...{ requestStreams: [], statusSubjects: [] },
    };

    const { says } = await saysOfTarget('prod/eu-west-1', { wanted });

    expect(says.filter((one) => one.startsWith('wrong'))).toEqual([
      'wrong: prod/eu-west-1: the settings have containers created, and what is deployed does not register them. Deploy.',
      'wrong: prod/eu-west-1: the settings name https://other.test, and what is deployed uses https://agent-prod.test. Deploy.',
    ]);
  });

  it('in which nothing is created says how it is listed', async () => {
    expect((await saysOfTarget('audit/us-east-1')).says).toHaveLength(1);
  });

  it('says so where one function cannot be asked', async () => {
    const { says } = await saysOfTarget('prod/eu-west-1', { regions: 'ec2-sp-poller: denied' });

    expect(says[0]).toBe('wrong: The listings of the poller could not be checked: ec2-sp-poller: denied');
    expect(says).toHaveLength(5);
  });

  it('that there is not names those that there are', async () => {
    await expect(saysOfTarget('prod/us-east-1')).rejects.toThrow(
      'there is no target prod/us-east-1; expected one of audit/us-east-1, eu-west-1, prod/eu-west-1',
    );
  });

  it('fails where nothing could be asked', async () => {
    await expect(saysOfTarget('eu-west-1', { regions: 'denied', inspect: 'denied' })).rejects.toThrow(
      'denied',
    );
  });
});
