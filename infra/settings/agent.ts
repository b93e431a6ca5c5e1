import * as z from 'zod';
import { requestStreams } from '../../shared/wire/agent-requests.ts';
import { origin, secretName, text } from './setting-kinds.ts';

const nonEmpty = z.string('must be a text').min(1, 'must not be empty');

const Auth = z.union(
  [
    z.strictObject({
      tokenEndpoint: text(/^https?:\/\/[^\s?#@]+$/, 'must be a URL'),
      clientId: nonEmpty,
      clientSecret: secretName,
      scope: nonEmpty.optional(),
    }),
    z.strictObject({ tokenSecret: secretName }),
  ],
  'must have a tokenEndpoint (a URL), a clientId and a clientSecret (the name of a secret), and perhaps a scope; or a tokenSecret (the name of a secret) alone',
);

/** The environment agent of DCM at which the VMs of one region are registered. */
export const Agent = z.strictObject({
  url: origin.describe(
    'An environment agent of DCM: the provider is registered at its `/api/v1alpha1/providers`.',
  ),
  topic: text(
    /^[^\s.*>,/\\]{1,239}$/,
    'must be the AGENT_TOPIC_NAME of the agent, else its AGENT_NAME: at most 239 characters without dots, blanks, commas, slashes, * and >',
  ).describe(
    'Its `AGENT_TOPIC_NAME`, else its `AGENT_NAME`. The streams with the requests to it follow from this: `dcm-agent-requests`, and `<topic>-retry` for what it holds while this provider is unhealthy.',
  ),
  auth: Auth.optional().describe(
    'Where the agent runs with `AGENT_AUTH_DISABLED=false`: how the registration gets the bearer token. `{ "tokenEndpoint": …, "clientId": …, "clientSecret": <name of a secret>, "scope": … }` for OAuth client credentials (`scope` may be left out), or `{ "tokenSecret": <name of a secret> }` for a token that somebody else renews.',
  ),
  publicUrl: origin
    .optional()
    .describe(
      'Where the agent reaches the provider-api: your proxy, or a domain of your own. Left out: the address that API Gateway gives it.',
    ),
  vpc: z
    .boolean('must be true or false')
    .default(false)
    .describe(
      'Whether the agent is reached from the VPC of `nats.vpc`. Its subnets then need a way to DynamoDB too, such as a gateway endpoint.',
    ),
  caller: z
    .enum(
      ['endpointCredentials', 'proxy'],
      'must be "endpointCredentials" or "proxy": an environment agent sends providers no credentials of its own',
    )
    .describe(
      'How calls of the agent get past the authentication of the API, for an agent sends no credentials of its own. `endpointCredentials`: the token of `api.tokenSecret` is in the endpoint that is registered, and whoever can list the providers of the agent reads it there. `proxy`: the agent calls `publicUrl`, which adds credentials.',
    ),
});
export type AgentSettings = z.infer<typeof Agent>;

/** The settings that say at which agents the provider is registered. */
type WithAgents = {
  readonly agent?: AgentSettings | undefined;
  readonly agents?: Readonly<Record<string, AgentSettings>> | undefined;
  readonly provisioning?: { readonly regions: Readonly<Record<string, unknown>> } | undefined;
};

/** The agent of each region where VMs are created; empty where the provider is registered at none. */
export const agentsOf = ({
  agent,
  agents,
  provisioning,
}: WithAgents): Readonly<Record<string, AgentSettings>> => {
  const [region] = Object.keys(provisioning?.regions ?? {});
  return agents ?? (agent !== undefined && region !== undefined ? { [region]: agent } : {});
};

/** The JetStream streams that can hold requests to the agents; none where there is no agent. */
export const agentStreamsOf = (settings: WithAgents): string[] => {
  const agents = Object.values(agentsOf(settings));
  return agents.length === 0 ? [] : requestStreams(agents.map(({ topic }) => topic));
};

/**
 * What the NATS user of the nats-bridge must be allowed, in the syntax of nats-server's configuration. `_INBOX.>` where the secret names
 * no `inboxPrefix`.
 */
export const natsPermissions = (settings: WithAgents): string => {
  const reads = agentStreamsOf(settings).map((stream) => `$JS.API.STREAM.MSG.GET.${stream}`);
  const publish = ['dcm.vm', '$JS.API.STREAM.NAMES', ...reads].map((subject) => `"${subject}"`);
  return `permissions { publish: [${publish.join(', ')}], subscribe: ["_INBOX.>"] }`;
};

const Superseded = z.object({
  api: z.looseObject({
    agentRequests: z.unknown().optional(),
    agentRequestStreams: z.unknown().optional(),
  }),
  controlPlane: z
    .looseObject({
      url: z.string().optional(),
      publicUrl: z.string().optional(),
      endpointCredentials: z.boolean().optional(),
      vpc: z.boolean().optional(),
    })
    .optional(),
  provisioning: z.looseObject({ regions: z.record(z.string(), z.unknown()) }).optional(),
});

/** What to write instead of `api.agentRequests`, which versions before `agent` had; undefined where the settings do not have it. */
export const supersededAgentSettings = (given: unknown): string | undefined => {
  const { data } = Superseded.safeParse(given);
  if (data?.api.agentRequests === undefined && data?.api.agentRequestStreams === undefined) return undefined;
  if (data.api.agentRequests !== true)
    return 'Settings "api.agentRequests" and "api.agentRequestStreams" do not exist any more: leave them out. With "agent", creates are looked up by themselves (docs/upgrade.md).';
  const block = agentInsteadOf(data);
  const regions = Object.keys(data.provisioning?.regions ?? {});
  const written =
    regions.length > 1
      ? { agents: Object.fromEntries(regions.map((region) => [region, block])) }
      : { agent: block };
  return [
    'Setting "api.agentRequests" does not exist any more: one block says where the environment agent is, and the rest follows from it (docs/upgrade.md). Leave api.agentRequests, api.agentRequestStreams and controlPlane out, and write:',
    JSON.stringify(written, null, 2).split('\n').slice(1, -1).join('\n'),
    ...(regions.length > 1 ? ['Each region needs an agent of its own, with its own url and topic.'] : []),
  ].join('\n');
};

const agentInsteadOf = ({ api, controlPlane = {} }: z.infer<typeof Superseded>) => {
  const { url = 'https://AGENT', publicUrl, endpointCredentials, vpc } = controlPlane;
  const streams = z.array(z.string()).catch([]).parse(api.agentRequestStreams);
  const topic = streams.find((stream) => stream.endsWith('-retry'))?.replace(/-retry$/, '');
  const isProxied = publicUrl !== undefined && endpointCredentials !== true;
  return {
    ...{ url, topic: topic ?? 'AGENT_TOPIC_NAME of the agent, else its AGENT_NAME' },
    ...(publicUrl !== undefined && { publicUrl }),
    ...(vpc === true && { vpc }),
    caller: isProxied ? 'proxy' : 'endpointCredentials',
  };
};
