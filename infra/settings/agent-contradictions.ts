import type { Contradiction } from '../provisioning-contradictions.ts';
import type { Settings } from '../settings.ts';
import { type AgentSettings, agentsOf } from './agent.ts';

/** What is wrong about the agents together with the other settings. */
export function* ofAgents(settings: Settings): Iterable<Contradiction> {
  const { agent, agents, controlPlane, provisioning } = settings;
  if (agent === undefined && agents === undefined) return;
  const block = agent === undefined ? 'agents' : 'agent';
  if (agent !== undefined && agents !== undefined)
    yield ['agent', 'must be left out where there is agents, which has an agent for each region'];
  if (controlPlane !== undefined)
    yield [
      'controlPlane',
      `must be left out where there is ${block}: it is for a DCM without environment agents`,
    ];
  if (provisioning === undefined)
    yield [block, 'must be left out where there is no provisioning: there is nothing to register'];
  yield* ofRegions(settings, Object.keys(provisioning?.regions ?? {}));
  for (const [region, each] of Object.entries(agentsOf(settings))) {
    const setting = agent === undefined ? `agents.${region}` : 'agent';
    yield* ofCaller(settings, setting, each);
    yield* ofTransport(settings, setting, each);
  }
  yield* ofSeveral(Object.entries(agents ?? {}));
}

function* ofRegions({ agent, agents }: Settings, regions: readonly string[]): Iterable<Contradiction> {
  if (agent !== undefined && regions.length > 1)
    yield [
      'agent',
      `must be agents, an object with an agent for each of ${regions.join(', ')}: an environment agent takes one provider of VMs`,
    ];
  if (agents === undefined) return;
  for (const region of regions)
    if (agents[region] === undefined)
      yield ['agents', `must have ${region}, as every region of provisioning.regions`];
  for (const region of Object.keys(agents))
    if (!regions.includes(region))
      yield [`agents.${region}`, 'must be left out: it is no region of provisioning.regions'];
}

function* ofCaller(
  { api }: Settings,
  setting: string,
  { caller, publicUrl }: AgentSettings,
): Iterable<Contradiction> {
  if (caller === 'proxy' && publicUrl === undefined)
    yield [`${setting}.publicUrl`, 'must be the address of the proxy where caller is "proxy"'];
  if (caller === 'proxy') return;
  if (api?.tokenSecret === undefined)
    yield [`${setting}.caller`, 'must be "proxy" where there is no api.tokenSecret'];
  if (publicUrl?.startsWith('http:'))
    yield [`${setting}.publicUrl`, "must be https://: the agent sends the API's token there"];
}

/** Tokens and secrets are sent by TLS, or within the private network: an environment agent has no TLS of its own. */
function* ofTransport(
  { nats }: Settings,
  setting: string,
  { auth, caller, url, vpc }: AgentSettings,
): Iterable<Contradiction> {
  if (vpc && nats.vpc === undefined) yield [`${setting}.vpc`, 'must be false where there is no nats.vpc'];
  if (vpc) return;
  if (url.startsWith('http:') && (caller === 'endpointCredentials' || auth !== undefined))
    yield [`${setting}.url`, 'must be https://, or "vpc" must be true: a token is sent there'];
  if (auth !== undefined && 'tokenEndpoint' in auth && auth.tokenEndpoint.startsWith('http:'))
    yield [
      `${setting}.auth.tokenEndpoint`,
      'must be https://, or "vpc" must be true: a secret is sent there',
    ];
}

function* ofSeveral(agents: readonly (readonly [string, AgentSettings])[]): Iterable<Contradiction> {
  if (new Set(agents.map(([, { vpc }]) => vpc)).size > 1)
    yield ['agents', 'must all have the same vpc: one function registers the provider at all of them'];
  for (const key of ['url', 'topic'] as const)
    for (const [index, [region, { [key]: value }]] of agents.entries()) {
      const first = agents.findIndex(([, other]) => bare(other[key]) === bare(value));
      if (first < index)
        yield [
          `agents.${region}.${key}`,
          `must be another than that of ${agents[first]?.[0]}: an environment agent takes one provider of VMs, so each region needs an agent of its own`,
        ];
    }
}

const bare = (text: string): string => text.replace(/\/$/, '');
