import { describe, expect, it } from 'vitest';
import { agentStreamsOf, agentsOf, natsPermissions } from '../../infra/settings/agent.ts';
import { parseSettings } from '../../infra/settings/load-settings.ts';
import { refusalOf } from './refused.ts';
import { agentSettings, leastSettings, provisioningSettings, vpc } from './synthesized.ts';

const { agent, provisioning } = agentSettings;
const { controlPlane, api } = provisioningSettings;
const withAgent = (more: object) => ({ ...agentSettings, agent: { ...agent, ...more } });
const auth = { tokenEndpoint: 'https://sso.test/token', clientId: 'ec2-sp', clientSecret: 'dcm/client' };
const { agent: _, ...withoutAgent } = agentSettings;
const inTwoRegions = (ireland: object, virginia: object) => ({
  ...withoutAgent,
  streamingRegions: ['us-east-1'],
  provisioning: { regions: { 'eu-west-1': {}, 'us-east-1': {} } },
  agents: { 'eu-west-1': { ...agent, ...ireland }, 'us-east-1': { ...agent, ...virginia } },
});
const virginia = { url: 'https://agent-2.test', topic: 'aws-us-east-1' };
const privately = { nats: { ...leastSettings.nats, vpc } };

describe('an environment agent in the settings', () => {
  it('is a URL, a topic and a way to authenticate, from which everything else is derived (Y 1)', () => {
    const settings = parseSettings(agentSettings);

    expect(agentsOf(settings)).toEqual({
      'eu-west-1': {
        ...{ url: 'https://agent.test', topic: 'aws-eu-west-1', vpc: false },
        caller: 'endpointCredentials',
      },
    });
    expect(agentStreamsOf(settings)).toEqual(['dcm-agent-requests', 'aws-eu-west-1-retry']);
    expect(natsPermissions(settings)).toBe(
      'permissions { publish: ["dcm.vm", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.MSG.GET.dcm-agent-requests", "$JS.API.STREAM.MSG.GET.aws-eu-west-1-retry"], subscribe: ["_INBOX.>"] }',
    );
  });

  it('is one for each region if VMs are created in several', () => {
    const settings = parseSettings(inTwoRegions({}, virginia));

    expect(Object.keys(agentsOf(settings))).toEqual(['eu-west-1', 'us-east-1']);
    expect(agentStreamsOf(settings)).toEqual([
      ...['dcm-agent-requests', 'aws-eu-west-1-retry', 'aws-us-east-1-retry'],
    ]);
  });

  it.each([
    ['with a client of an OAuth server', withAgent({ auth: { ...auth, scope: 'agent' } })],
    ['with a token that is renewed by hand', withAgent({ auth: { tokenSecret: 'dcm/agent-token' } })],
    [
      'without TLS in the private network of NATS',
      { ...withAgent({ url: 'http://10.0.0.5:8081', vpc: true, auth }), ...privately },
    ],
    [
      'behind a proxy that adds credentials, with tokens of an issuer only',
      {
        ...withAgent({ url: 'http://agent.test', caller: 'proxy', publicUrl: 'http://proxy.test' }),
        api: { jwt: { issuer: 'https://i.test', audience: 'dcm', jwksUrl: 'https://i.test/keys' } },
      },
    ],
  ])('may be reached %s', (_, settings) => {
    expect(() => parseSettings(settings)).not.toThrow();
  });

  it.each<[string, unknown, string]>([
    [
      'without a way to authenticate, because its calls have no credentials (Y 1)',
      withAgent({ caller: undefined }),
      '"agent.caller" must be "endpointCredentials" or "proxy": an environment agent sends no credentials of its own to providers',
    ],
    [
      'that must send the token although only an issuer has tokens (Y 1)',
      { ...agentSettings, api: { jwt: { issuer: 'https://i', audience: 'dcm', jwksUrl: 'https://i/keys' } } },
      '"agent.caller" must be "proxy" without api.tokenSecret',
    ],
    [
      'behind a proxy without an address',
      withAgent({ caller: 'proxy' }),
      '"agent.publicUrl" must be the address of the proxy if caller is "proxy"',
    ],
    [
      'that gets the token without TLS',
      withAgent({ url: 'http://agent.test' }),
      '"agent.url" must be https://, or "vpc" must be true: a token is sent there',
    ],
    [
      'that sends the token without TLS',
      withAgent({ publicUrl: 'http://vms.test' }),
      `"agent.publicUrl" must be https://: the agent sends the API's token there`,
    ],
    [
      'with a client secret sent without TLS',
      withAgent({ auth: { ...auth, tokenEndpoint: 'http://sso.test' } }),
      '"agent.auth.tokenEndpoint" must be https://, or "vpc" must be true: a secret is sent there',
    ],
    [
      'with an incomplete client',
      withAgent({ auth: { tokenEndpoint: 'https://sso.test' } }),
      '"agent.auth" must have a tokenEndpoint (a URL), a clientId and a clientSecret (the name of a secret), and optionally a scope; or only a tokenSecret (the name of a secret)',
    ],
    ...['dcm.agent.aws', 'two words', 'a'.repeat(240), ''].map((topic): [string, unknown, string] => [
      `with the topic "${topic}"`,
      withAgent({ topic }),
      '"agent.topic" must be the AGENT_TOPIC_NAME of the agent, or its AGENT_NAME if that is not set, such as aws-eu-west-1: at most 239 characters without dots, spaces, commas, slashes, * and >',
    ]),
    [
      'for several regions (Y 1)',
      {
        ...agentSettings,
        streamingRegions: ['us-east-1'],
        provisioning: { regions: { 'eu-west-1': {}, 'us-east-1': {} } },
      },
      '"agent" must be replaced by agents, an object with an agent for each of eu-west-1, us-east-1: an environment agent accepts one provider of each service type',
    ],
    [
      'with two regions',
      inTwoRegions({}, { topic: 'aws-us-east-1', url: 'https://agent.test/' }),
      '"agents.us-east-1.url" must differ from that of eu-west-1: an environment agent accepts one provider of each service type, so each region needs its own agent',
    ],
    [
      'with the topic of another agent',
      inTwoRegions({}, { url: 'https://agent-2.test' }),
      '"agents.us-east-1.topic" must differ from that of eu-west-1: an environment agent accepts one provider of each service type, so each region needs its own agent',
    ],
    [
      'in a VPC unlike another agent',
      { ...inTwoRegions({ vpc: true }, virginia), ...privately },
      '"agents" must all have the same vpc: one function registers the provider at all of them',
    ],
    [
      'for only some of the regions',
      { ...inTwoRegions({}, virginia), agents: { 'eu-west-1': agent } },
      '"agents" must have us-east-1, like every region of provisioning.regions',
    ],
    [
      'for a region without VMs',
      { ...inTwoRegions({}, virginia), provisioning },
      '"agents.us-east-1" must be omitted: it is not in provisioning.regions',
    ],
    [
      'beside a control plane (Y 1)',
      { ...agentSettings, controlPlane },
      '"controlPlane" must be omitted with agent: it is for a DCM without environment agents',
    ],
    [
      'beside agents of regions',
      { ...agentSettings, agents: { 'eu-west-1': agent } },
      '"agent" must be omitted with agents, which has an agent for each region',
    ],
    [
      'with nothing to register',
      { ...leastSettings, agent },
      '"agent" must be omitted without provisioning, containers and clusters: there is nothing to register',
    ],
    ['in a VPC without nats.vpc', withAgent({ vpc: true }), '"agent.vpc" must be false without nats.vpc'],
  ])('is refused %s', (_, settings, sentence) => {
    expect(refusalOf(() => parseSettings(settings))).toBe(`Setting ${sentence}.`);
  });
});

describe('settings with api.agentRequests of earlier versions', () => {
  const old = {
    ...provisioningSettings,
    api: { ...api, agentRequests: true, agentRequestStreams: ['dcm-agent-requests', 'aws-retry'] },
    controlPlane: { url: 'https://agent.test', endpointCredentials: true },
  };

  it('are refused, with the block to write instead (Y 1)', () => {
    const refusal = refusalOf(() => parseSettings(old));

    expect(refusal).toMatch(/^Setting "api.agentRequests" no longer exists: /);
    const block: unknown = JSON.parse(`{${refusal.split('and write:')[1]}}`);
    expect(block).toEqual({
      agent: { url: 'https://agent.test', topic: 'aws', caller: 'endpointCredentials' },
    });
    expect(() => parseSettings({ ...withoutAgent, ...Object(block) })).not.toThrow();
  });

  it('get an agent for each of several regions', () => {
    const regions = { 'eu-west-1': {}, 'us-east-1': {} };

    const refusal = refusalOf(() => parseSettings({ ...old, provisioning: { regions } }));

    expect(refusal).toMatch(/"agents": \{\s+"eu-west-1": .*"us-east-1": /s);
    expect(refusal).toMatch(/Each region needs its own agent, with its own url and topic\.$/);
  });

  it('only need to remove it if it was off', () => {
    expect(refusalOf(() => parseSettings({ ...old, api: { ...api, agentRequests: false } }))).toMatch(
      /^Settings "api.agentRequests" and "api.agentRequestStreams" no longer exist: remove them\./,
    );
  });
});
