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
  it('is a URL, a topic and a way for its calls, from which everything else follows (Y 1)', () => {
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

  it('is one for each region where VMs are created in several', () => {
    const settings = parseSettings(inTwoRegions({}, virginia));

    expect(Object.keys(agentsOf(settings))).toEqual(['eu-west-1', 'us-east-1']);
    expect(agentStreamsOf(settings)).toEqual([
      ...['dcm-agent-requests', 'aws-eu-west-1-retry', 'aws-us-east-1-retry'],
    ]);
  });

  it.each([
    ['with a client of an OAuth server', withAgent({ auth: { ...auth, scope: 'agent' } })],
    ['with a token that somebody else renews', withAgent({ auth: { tokenSecret: 'dcm/agent-token' } })],
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
      'without a way for its calls, which carry no credentials of their own (Y 1)',
      withAgent({ caller: undefined }),
      '"agent.caller" must be "endpointCredentials" or "proxy": an environment agent sends providers no credentials of its own',
    ],
    [
      'that is to send the token where there are only tokens of an issuer (Y 1)',
      { ...agentSettings, api: { jwt: { issuer: 'https://i', audience: 'dcm', jwksUrl: 'https://i/keys' } } },
      '"agent.caller" must be "proxy" where there is no api.tokenSecret',
    ],
    [
      'behind a proxy that has no address',
      withAgent({ caller: 'proxy' }),
      '"agent.publicUrl" must be the address of the proxy where caller is "proxy"',
    ],
    [
      'that is sent the token in the clear',
      withAgent({ url: 'http://agent.test' }),
      '"agent.url" must be https://, or "vpc" must be true: a token is sent there',
    ],
    [
      'that sends the token in the clear',
      withAgent({ publicUrl: 'http://vms.test' }),
      `"agent.publicUrl" must be https://: the agent sends the API's token there`,
    ],
    [
      'with a client secret in the clear',
      withAgent({ auth: { ...auth, tokenEndpoint: 'http://sso.test' } }),
      '"agent.auth.tokenEndpoint" must be https://, or "vpc" must be true: a secret is sent there',
    ],
    [
      'with half a client',
      withAgent({ auth: { tokenEndpoint: 'https://sso.test' } }),
      '"agent.auth" must have a tokenEndpoint (a URL), a clientId and a clientSecret (the name of a secret), and perhaps a scope; or a tokenSecret (the name of a secret) alone',
    ],
    ...['dcm.agent.aws', 'two words', 'a'.repeat(240), ''].map((topic): [string, unknown, string] => [
      `with the topic "${topic}"`,
      withAgent({ topic }),
      '"agent.topic" must be the AGENT_TOPIC_NAME of the agent, else its AGENT_NAME: at most 239 characters without dots, blanks, commas, slashes, * and >',
    ]),
    [
      'for several regions (Y 1)',
      {
        ...agentSettings,
        streamingRegions: ['us-east-1'],
        provisioning: { regions: { 'eu-west-1': {}, 'us-east-1': {} } },
      },
      '"agent" must be agents, an object with an agent for each of eu-west-1, us-east-1: an environment agent takes one provider of VMs',
    ],
    [
      'that has two regions',
      inTwoRegions({}, { topic: 'aws-us-east-1', url: 'https://agent.test/' }),
      '"agents.us-east-1.url" must be another than that of eu-west-1: an environment agent takes one provider of VMs, so each region needs an agent of its own',
    ],
    [
      'with the topic of another',
      inTwoRegions({}, { url: 'https://agent-2.test' }),
      '"agents.us-east-1.topic" must be another than that of eu-west-1: an environment agent takes one provider of VMs, so each region needs an agent of its own',
    ],
    [
      'in a VPC where another is not',
      { ...inTwoRegions({ vpc: true }, virginia), ...privately },
      '"agents" must all have the same vpc: one function registers the provider at all of them',
    ],
    [
      'for some of the regions',
      { ...inTwoRegions({}, virginia), agents: { 'eu-west-1': agent } },
      '"agents" must have us-east-1, as every region of provisioning.regions',
    ],
    [
      'where no VMs are created',
      { ...inTwoRegions({}, virginia), provisioning },
      '"agents.us-east-1" must be left out: it is no region of provisioning.regions',
    ],
    [
      'beside a control plane (Y 1)',
      { ...agentSettings, controlPlane },
      '"controlPlane" must be left out where there is agent: it is for a DCM without environment agents',
    ],
    [
      'beside agents of regions',
      { ...agentSettings, agents: { 'eu-west-1': agent } },
      '"agent" must be left out where there is agents, which has an agent for each region',
    ],
    [
      'with nothing to register',
      { ...leastSettings, agent },
      '"agent" must be left out where there is no provisioning: there is nothing to register',
    ],
    [
      'in a VPC that is not there',
      withAgent({ vpc: true }),
      '"agent.vpc" must be false where there is no nats.vpc',
    ],
  ])('is refused %s', (_, settings, sentence) => {
    expect(refusalOf(() => parseSettings(settings))).toBe(`Setting ${sentence}.`);
  });
});

describe('settings that ask for the look-up by api.agentRequests, as versions before did', () => {
  const old = {
    ...provisioningSettings,
    api: { ...api, agentRequests: true, agentRequestStreams: ['dcm-agent-requests', 'aws-retry'] },
    controlPlane: { url: 'https://agent.test', endpointCredentials: true },
  };

  it('are refused, with the block to write instead (Y 1)', () => {
    const refusal = refusalOf(() => parseSettings(old));

    expect(refusal).toMatch(/^Setting "api.agentRequests" does not exist any more: /);
    const block: unknown = JSON.parse(`{${refusal.split('and write:')[1]}}`);
    expect(block).toEqual({
      agent: { url: 'https://agent.test', topic: 'aws', caller: 'endpointCredentials' },
    });
    expect(() => parseSettings({ ...withoutAgent, ...Object(block) })).not.toThrow();
  });

  it('are shown an agent for each of several regions', () => {
    const regions = { 'eu-west-1': {}, 'us-east-1': {} };

    const refusal = refusalOf(() => parseSettings({ ...old, provisioning: { regions } }));

    expect(refusal).toMatch(/"agents": \{\s+"eu-west-1": .*"us-east-1": /s);
    expect(refusal).toMatch(/Each region needs an agent of its own, with its own url and topic\.$/);
  });

  it('need only leave it out where it was off', () => {
    expect(refusalOf(() => parseSettings({ ...old, api: { ...api, agentRequests: false } }))).toMatch(
      /^Settings "api.agentRequests" and "api.agentRequestStreams" do not exist any more: leave them out\./,
    );
  });
});
