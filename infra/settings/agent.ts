import * as z from 'zod';
import { requestStreams } from '../../shared/wire/agent-requests.ts';
import { statusSubject } from '../../shared/wire/cloudevents.ts';
import { createdTypesByRegion, reportedTypes, type Sections } from './service-types.ts';
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
  'must have a tokenEndpoint (a URL), a clientId and a clientSecret (the name of a secret), and optionally a scope; or only a tokenSecret (the name of a secret)',
);

/** The environment agent of DCM at which the provider of one region is registered. */
export const Agent = z.strictObject({
  url: origin.describe(
    'The URL of an environment agent of DCM. The provider is registered at its `/api/v1alpha1/providers`.',
  ),
  topic: text(
    /^[^\s.*>,/\\]{1,239}$/,
    'must be the AGENT_TOPIC_NAME of the agent, or its AGENT_NAME if that is not set, such as aws-eu-west-1: at most 239 characters without dots, spaces, commas, slashes, * and >',
  ).describe(
    'The agent’s `AGENT_TOPIC_NAME`, or its `AGENT_NAME` if that is not set. The streams with the requests to the agent are `dcm-agent-requests`, and `<topic>-retry` for the requests that it holds while this provider is unhealthy.',
  ),
  auth: Auth.optional().describe(
    'For an agent with `AGENT_AUTH_DISABLED=false`: how the registration gets the bearer token. `{ "tokenEndpoint": …, "clientId": …, "clientSecret": <name of a secret>, "scope": … }` for OAuth client credentials (`scope` is optional), or `{ "tokenSecret": <name of a secret> }` for a token that you renew.',
  ),
  publicUrl: origin
    .optional()
    .describe(
      'The URL at which the agent reaches the provider-api: your proxy, or your own domain. Default: the address of API Gateway.',
    ),
  vpc: z
    .boolean('must be true or false')
    .default(false)
    .describe(
      'Whether the agent is reached from the VPC of `nats.vpc`. Its subnets then also need a route to DynamoDB, such as a gateway endpoint.',
    ),
  caller: z
    .enum(
      ['endpointCredentials', 'proxy'],
      'must be "endpointCredentials" or "proxy": an environment agent sends no credentials of its own to providers',
    )
    .describe(
      'How the agent’s calls are authenticated, because an agent sends no credentials of its own. `endpointCredentials`: the registered endpoint contains the token of `api.tokenSecret`, and everyone who can list the agent’s providers can read it. `proxy`: the agent calls `publicUrl`, which adds credentials.',
    ),
});
export type AgentSettings = z.infer<typeof Agent>;

/** The settings about the environment agents of one account. */
type WithAgents = Sections & {
  readonly agent?: AgentSettings | undefined;
  readonly agents?: Readonly<Record<string, AgentSettings>> | undefined;
};

/** The settings about the environment agents of the home account, and of each other account. */
type WithAgentsOfAccounts = WithAgents & {
  readonly accounts?: Readonly<Record<string, WithAgents>> | undefined;
};

/** The agent of each region of one account where resources are created; empty without agents. */
export const agentsOf = ({
  agent,
  agents,
  ...sections
}: WithAgents): Readonly<Record<string, AgentSettings>> => {
  const [region] = Object.keys(createdTypesByRegion(sections));
  return agents ?? (agent !== undefined && region !== undefined ? { [region]: agent } : {});
};

/** The agents of all accounts, with the place of each in the settings, such as `accounts.prod.agents.eu-west-1`. */
export const agentPlaces = ({
  accounts = {},
  ...home
}: WithAgentsOfAccounts): (readonly [place: string, AgentSettings])[] => [
  ...Object.entries(agentsOf(home)).map(
    ([region, agent]) => [home.agents === undefined ? 'agent' : `agents.${region}`, agent] as const,
  ),
  ...Object.entries(accounts).flatMap(([alias, account]) =>
    Object.entries(agentsOf(account)).map(
      ([region, agent]) => [`accounts.${alias}.agents.${region}`, agent] as const,
    ),
  ),
];

/** The JetStream streams that can contain requests to the agents; empty without agents. */
export const agentStreamsOf = (settings: WithAgentsOfAccounts): string[] => {
  const agents = agentPlaces(settings).map(([, agent]) => agent);
  return agents.length === 0 ? [] : requestStreams(agents.map(({ topic }) => topic));
};

/**
 * The permissions that the NATS user of the nats-bridge needs, in the syntax of nats-server's configuration. `_INBOX.>` applies if the
 * secret has no `inboxPrefix`.
 */
export const natsPermissions = (settings: WithAgentsOfAccounts): string => {
  const publish = natsSubjects(settings).map((subject) => `"${subject}"`);
  return `permissions { publish: [${publish.join(', ')}], subscribe: ["_INBOX.>"] }`;
};

/** The subjects on which the NATS user of the nats-bridge has to publish. */
export const natsSubjects = (settings: WithAgentsOfAccounts): string[] => {
  const reads = agentStreamsOf(settings).map((stream) => `$JS.API.STREAM.MSG.GET.${stream}`);
  return [...reportedTypes(settings).map(statusSubject), '$JS.API.STREAM.NAMES', ...reads];
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

/** What to write instead of `api.agentRequests`, a setting of versions before `agent`; undefined if the settings do not have it. */
export const supersededAgentSettings = (given: unknown): string | undefined => {
  const { data } = Superseded.safeParse(given);
  if (data?.api.agentRequests === undefined && data?.api.agentRequestStreams === undefined) return undefined;
  if (data.api.agentRequests !== true)
    return 'Settings "api.agentRequests" and "api.agentRequestStreams" no longer exist: remove them. With "agent", creates are looked up without another setting (docs/upgrade.md).';
  const block = agentInsteadOf(data);
  const regions = Object.keys(data.provisioning?.regions ?? {});
  const written =
    regions.length > 1
      ? { agents: Object.fromEntries(regions.map((region) => [region, block])) }
      : { agent: block };
  return [
    'Setting "api.agentRequests" no longer exists: one block says where the environment agent is, and the rest is derived from it (docs/upgrade.md). Remove api.agentRequests, api.agentRequestStreams and controlPlane, and write:',
    JSON.stringify(written, null, 2).split('\n').slice(1, -1).join('\n'),
    ...(regions.length > 1 ? ['Each region needs its own agent, with its own url and topic.'] : []),
  ].join('\n');
};

const agentInsteadOf = ({ api, controlPlane = {} }: z.infer<typeof Superseded>) => {
  const { url = 'https://AGENT', publicUrl, endpointCredentials, vpc } = controlPlane;
  const streams = z.array(z.string()).catch([]).parse(api.agentRequestStreams);
  const topic = streams.find((stream) => stream.endsWith('-retry'))?.replace(/-retry$/, '');
  const isProxied = publicUrl !== undefined && endpointCredentials !== true;
  return {
    ...{ url, topic: topic ?? 'AGENT_TOPIC_NAME of the agent, or its AGENT_NAME' },
    ...(publicUrl !== undefined && { publicUrl }),
    ...(vpc === true && { vpc }),
    caller: isProxied ? 'proxy' : 'endpointCredentials',
  };
};
