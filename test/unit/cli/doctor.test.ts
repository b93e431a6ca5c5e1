import { describe, expect, it } from 'vitest';
import { examine, type Wanted } from '../../../cli/doctor/examine.ts';
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
const healthy = {
  inspect: { regions: [region] },
  probe: { connected: true },
  'list-streams': { names: ['dcm-status', ...streams], requestStreams: streams },
  'find-request': { resourceId: null },
};

/** What the doctor says of functions that answer so; a text is an error. */
const saysOf = async (answers: Partial<Record<keyof typeof healthy, unknown>>, wanted?: Wanted) => {
  const all: Record<string, unknown> = { ...healthy, ...answers };
  const invoke = async (_: string, request: object): Promise<unknown> => {
    const answer = 'do' in request ? all[String(request.do)] : undefined;
    if (typeof answer === 'string') throw new Error(answer);
    return answer;
  };
  const findings = await examine(invoke, wanted);
  return { all: findings, wrong: findings.filter(({ isWrong }) => isWrong).map(({ says }) => says) };
};
const withRegion = (change: object) => ({ inspect: { regions: [{ ...region, ...change }] } });
const withProvider = (change: object) => withRegion({ providers: [{ ...ours, ...change }] });

describe('npm run doctor', () => {
  it('says what is well, and asks for nothing (Y 9)', async () => {
    const { all, wrong } = await saysOf({});

    expect(wrong).toEqual([]);
    expect(all.map(({ says }) => says)).toEqual([
      'eu-west-1: ec2-sp is registered at the environment agent at https://agent.test, and Ready.',
      'NATS takes statuses.',
      'NATS has the stream dcm-agent-requests.',
      'NATS has the stream aws-retry.',
      'A create by Idempotency-Key can be looked up: a dry look-up read every stream.',
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
      'the look-up fails',
      { 'find-request': 'ec2-sp-nats-bridge: aws-retry cannot be read' },
      'The look-up of a create could not be checked: ec2-sp-nats-bridge: aws-retry cannot be read',
    ],
  ])('says what to do where %s', async (_, answers, sentence) => {
    const { wrong } = await saysOf(answers);

    expect(wrong).toEqual([typeof sentence === 'string' ? sentence : expect.stringMatching(sentence)]);
  });

  it('says to deploy where the settings are not what is deployed', async () => {
    const wanted = { urls: { 'eu-west-1': 'https://agent-2.test' }, requestStreams: ['dcm-agent-requests'] };

    const { wrong } = await saysOf({}, wanted);

    expect(wrong).toEqual([
      'eu-west-1: the settings name https://agent-2.test, and what is deployed uses https://agent.test. Deploy.',
      'The settings have creates looked up on dcm-agent-requests, and what is deployed on dcm-agent-requests, aws-retry. Deploy.',
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
      { urls: { 'eu-west-1': 'https://agent.test/' }, requestStreams: [] },
    );

    expect(wrong).toEqual([]);
    expect(all[0]?.says).toBe('eu-west-1: ec2-sp is registered at the control plane at https://agent.test.');
  });
});
