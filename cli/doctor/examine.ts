import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod/mini';
import type { FunctionName } from '../../infra/function-names.ts';
import { reasonOf, SettingsError } from '../../shared/core/errors.ts';
import { nameOf, ServiceType } from '../../shared/core/kind.ts';
import { listingIn } from '../../shared/core/target.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import { FoundRequest, ProbeAnswer, type StatusStream, Streams } from '../../shared/wire/bridge.ts';
import type { ListedProvider } from '../../shared/wire/dcm-provider.ts';
import { Health } from '../../shared/wire/health.ts';
import {
  InspectedQueues,
  type InspectedRegion,
  Inspection,
  LaunchTrial,
  type QueueDepth,
} from '../../shared/wire/inspection.ts';
import { type PolledRegion, PollingReport } from '../../shared/wire/polling.ts';

/** The result of one examination. `says` is a sentence for the operator: the state and, where it is wrong, what to do. */
export type Finding = { readonly isWrong: boolean; readonly says: string };

/** Invokes a deployed function, and returns its answer. Rejects with the reason as message. */
export type Invoke = (box: FunctionName, request: object) => Promise<unknown>;

/** The settings, to compare with what is deployed. */
export type Wanted = {
  /** URL of the registry of each target; by its name, such as `eu-west-1` or `prod/eu-west-1`. */
  readonly urls: Readonly<Record<string, string>>;
  /** The service types that are created in each target. */
  readonly created: Readonly<Record<string, readonly ServiceType[]>>;
  readonly requestStreams: readonly string[];
  /** On which statuses are published. */
  readonly statusSubjects: readonly string[];
};

type Options = {
  /** Of the command line, to compare with what is deployed. */
  readonly version?: string | undefined;
  /** Between the two looks at a queue whose messages wait. */
  readonly pauseMs?: number;
  readonly now?: Clock;
};

/**
 * Examines the connection between DCM and the provider through the deployed functions, which have the credentials and the network access:
 * which provider has each service type at DCM, whether its resources can be created, whether NATS accepts statuses, which streams exist, for
 * how long they drop repeated statuses, whether a create can be looked up, whether the steps of clusters are taken, and when each target was
 * last listed. Changes nothing. Never rejects.
 */
export const examine = async (
  invoke: Invoke,
  wanted?: Wanted,
  { pauseMs = 5_000, now = Date.now, version }: Options = {},
): Promise<Finding[]> => {
  const inspected = inspectedBy(invoke, wanted);
  const registrations = look('The registration', async () => ofRegistrations(await inspected, wanted));
  const health = inspected.then(
    (regions) => Promise.all(regions.map((region) => ofApi(invoke, region, version))),
    () => [], // said of the registration
  );
  const nats = look('NATS', async () =>
    ofNats(ProbeAnswer.parse(await invoke('nats-bridge', { do: 'probe' }))),
  );
  const streams = look('The list of streams', async () =>
    ofStreams(Streams.parse(await invoke('nats-bridge', { do: 'list-streams' })), wanted),
  );
  const lookUp = look('The look-up of a create', async () => {
    if (wanted?.requestStreams.length === 0) return [];
    FoundRequest.parse(await invoke('nats-bridge', { do: 'find-request', idempotencyKey: dryKey }));
    return [well('A create by Idempotency-Key can be looked up: a dry look-up read every stream.')];
  });
  const steps = inspected
    .catch(() => [])
    .then((regions) =>
      hasClusters(regions, wanted) ? look('The queue of cluster steps', () => ofSteps(invoke, pauseMs)) : [],
    );
  const listings = look('The listings of the poller', async () => ofListings(await listedBy(invoke), now()));
  const findings = (await Promise.all([registrations, health, nats, streams, lookUp, steps, listings])).flat(
    2,
  );
  return distinct(findings);
};

const distinct = (findings: readonly Finding[]): Finding[] =>
  findings.filter(({ says }, index) => findings.findIndex((one) => one.says === says) === index);

/**
 * Examines one target, by its name: whether the poller lists it, for which it has the reader's role there; which provider has each service
 * type at DCM, whether its resources can be created, and whether EC2's dry run launches a VM. Changes nothing.
 * @throws SettingsError where there is no such target; the reason where nothing could be asked.
 */
export const examineTarget = async (
  invoke: Invoke,
  target: string,
  { wanted, now = Date.now, version }: Options & { readonly wanted?: Wanted | undefined } = {},
): Promise<Finding[]> => {
  const listings = listedBy(invoke);
  const inspected = inspectedBy(invoke, wanted);
  const [listed, registered] = await Promise.allSettled([listings, inspected]);
  if (listed.status === 'rejected' && registered.status === 'rejected') throw listed.reason;
  const regions = registered.status === 'fulfilled' ? registered.value : [];
  const names =
    listed.status === 'fulfilled' ? listed.value.map(({ region }) => listingIn(region).target) : [];
  const all = [...names, ...regions.map(({ region }) => region), ...Object.keys(wanted?.urls ?? {})];
  if (!all.includes(target))
    throw new SettingsError(
      `there is no target ${target}; expected one of ${[...new Set(all)].sort().join(', ')}`,
    );
  const here = regions.filter(({ region }) => region === target);
  const findings = await Promise.all([
    look('The listings of the poller', async () => ofTargetsListings(await listings, target, now())),
    look('The registration', async () => {
      await inspected;
      return ofRegistrations(here, wanted && onlyOf(wanted, target));
    }),
    ...here.map((region) => ofApi(invoke, region, version)),
    ...here
      .filter(({ serviceType }) => serviceType === 'vm')
      .map(() => look(`${target}: a launch`, () => ofLaunch(invoke, target))),
  ]);
  return distinct(findings.flat());
};

/** Where the settings have nothing registered, there is no such function. */
const inspectedBy = async (
  invoke: Invoke,
  wanted: Wanted | undefined,
): Promise<readonly InspectedRegion[]> => {
  if (wanted !== undefined && Object.keys(wanted.urls).length === 0) return [];
  return Inspection.parse(await invoke('registration', { do: 'inspect' })).regions;
};

const listedBy = (invoke: Invoke): Promise<readonly PolledRegion[]> =>
  invoke('poller', { do: 'regions' }).then((answer) => PollingReport.parse(answer).regions);

const onlyOf = ({ urls, created, ...others }: Wanted, target: string): Wanted => {
  const { [target]: url } = urls;
  return { ...others, created, urls: url === undefined ? {} : { [target]: url } };
};

/** A listing that is older, in intervals and in milliseconds, is overdue: after failures the next attempt is up to five minutes later. */
const overdueIntervals = 3;
const overdueMs = 15 * 60_000;

/** What is said of each listing of a target. */
const ofTargetsListings = (listings: readonly PolledRegion[], target: string, nowMs: number): Finding[] =>
  listings
    .filter(({ region }) => listingIn(region).target === target)
    .map((listing) => ofListing(listing, nowMs));

/** What is wrong with the listing of any service type, or that nothing is. Those of the inventory begin hours apart, and have alarms. */
const ofListings = (all: readonly PolledRegion[], nowMs: number): Finding[] => {
  const listings = all.filter(({ region }) => serviceTypeListed(region) !== undefined);
  const findings = listings.map((listing) => ofListing(listing, nowMs));
  const targets = [...new Set(listings.map(({ region }) => listingIn(region).target))].sort();
  if (findings.some(({ isWrong }) => isWrong)) return findings.filter(({ isWrong }) => isWrong);
  return targets.length === 0 ? [] : [well(`All listings of ${targets.join(', ')} are recent.`)];
};

const ofListing = (
  { region, lastListedAt, intervalSeconds, breakerSince }: PolledRegion,
  nowMs: number,
): Finding => {
  const what = `${listingIn(region).target}: the listing of ${resourcesOf(region)}`;
  const advice =
    "The poller's log says why; where its account denies it, docs/accounts.md says what to check.";
  if (lastListedAt === undefined) return wrong(`${what} was never completed. ${advice}`);
  const ageMs = nowMs - Date.parse(lastListedAt);
  if (ageMs > Math.max(overdueMs, overdueIntervals * intervalSeconds * 1000))
    return wrong(`${what} was last completed ${Math.round(ageMs / 60_000)} minutes ago. ${advice}`);
  if (breakerSince !== undefined)
    return wrong(
      `${what} lacks many resources since ${breakerSince}, and none counts as deleted (docs/runbook.md, poller-breaker).`,
    );
  return well(`${what} was completed at ${lastListedAt}.`);
};

const resourcesOf = (listing: string): string => {
  const serviceType = serviceTypeListed(listing);
  return serviceType === undefined ? listingIn(listing).listed : `${nameOf(serviceType)}s`;
};

const serviceTypeListed = (listing: string): ServiceType | undefined =>
  ServiceType.safeParse(listingIn(listing).listed).data;

/** A key that no request has. */
const dryKey = 'doctor-dry-look-up';

export const well = (says: string): Finding => ({ isWrong: false, says });
export const wrong = (says: string): Finding => ({ isWrong: true, says });

/** What was found, or that it could not be checked. Never rejects. */
export const look = async (what: string, findings: () => Promise<Finding[]>): Promise<Finding[]> => {
  try {
    return await findings();
  } catch (error) {
    return [wrong(`${what} could not be checked: ${reasonOf(error)}`)];
  }
};

const ofRegistrations = (regions: readonly InspectedRegion[], wanted: Wanted | undefined): Finding[] => [
  ...ofServiceTypes(regions, wanted),
  ...regions.flatMap((one) => ofRegion(one, wanted?.urls[one.region])),
];

/** The service types of which the settings and what is deployed differ. */
const ofServiceTypes = (regions: readonly InspectedRegion[], wanted: Wanted | undefined): Finding[] =>
  Object.keys(wanted?.urls ?? {}).flatMap((region) => {
    const created = wanted?.created[region] ?? [];
    const registered = regions.filter((one) => one.region === region).map(({ serviceType }) => serviceType);
    const missing = created.filter((serviceType) => !registered.includes(serviceType));
    const further = registered.filter((serviceType) => !created.includes(serviceType));
    return [
      ...missing.map(
        (one) => `the settings have ${nameOf(one)}s created, and what is deployed does not register them`,
      ),
      ...further.map(
        (one) => `what is deployed registers ${nameOf(one)}s, and the settings do not have them created`,
      ),
    ].map((difference) => wrong(`${region}: ${difference}. Deploy.`));
  });

const ofRegion = (region: InspectedRegion, wantedUrl: string | undefined): Finding[] => {
  const { url, failure } = region;
  const who = region.kind === 'agent' ? 'the environment agent' : 'the control plane';
  const where = `${who} at ${url}`;
  const isOther = wantedUrl !== undefined && bare(wantedUrl) !== bare(url);
  return [
    ...(isOther
      ? [wrong(`${region.region}: the settings name ${wantedUrl}, and what is deployed uses ${url}. Deploy.`)]
      : []),
    failure === undefined
      ? ofProviders(region, where)
      : wrong(`${region.region}: ${where} does not list its providers: ${failure}. ${adviceOn(failure)}`),
  ];
};

const bare = (url: string): string => url.replace(/\/+$/, '');

const adviceOn = (failure: string): string =>
  failure.startsWith('HTTP 401')
    ? 'Set or correct agent.auth (docs/runbook.md, registration-refused).'
    : 'Check agent.url, and agent.vpc where its address is private.';

const ofProviders = (inspected: InspectedRegion, where: string): Finding => {
  const { region, serviceType, row, providers, endpoint, kind } = inspected;
  const ours = providers.find(({ name }) => name === row);
  const holder = providers.find(({ name, service_type: type }) => name !== row && type === serviceType);
  if (ours !== undefined) return ofOurs(region, ours, { endpoint, where });
  if (kind === 'agent' && holder !== undefined)
    return wrong(`${region}: ${ofHolder(holder, serviceType, where)}`);
  return wrong(
    `${region}: ${row} is not registered at ${where}. The registration tries every minute; its log says why it fails (docs/runbook.md, registration-refused).`,
  );
};

const ofHolder = ({ name, type }: ListedProvider, serviceType: ServiceType, where: string): string =>
  type === 'embedded'
    ? `${where} serves ${nameOf(serviceType)}s by its embedded provider ${name}. Take ${serviceType} out of its AGENT_EMBEDDED_SPS and restart it; the registration follows within a minute.`
    : `${where} has the provider ${name} for ${nameOf(serviceType)}s, and takes one. Use another agent, or stop ${name}, clear the agent's AGENT_SP_PERSISTENCE_PATH and restart it.`;

type Place = { readonly endpoint: string; readonly where: string };

const ofOurs = (region: string, { name, status, endpoint }: ListedProvider, place: Place): Finding => {
  if (endpoint !== undefined && endpoint !== place.endpoint)
    return wrong(
      `${region}: ${place.where} has ${name} at ${endpoint}, and it is at ${place.endpoint}. Another deployment may have the same provider.name.`,
    );
  if (status !== undefined && status !== 'Ready')
    return wrong(
      `${region}: ${name} is registered at ${place.where}, which calls it ${status}. GET ${place.endpoint}/health must be answered 200 and "healthy"; its answer names what is not.`,
    );
  return well(
    `${region}: ${name} is registered at ${place.where}${status === undefined ? '' : `, and ${status}`}.`,
  );
};

const healthOf = ({ region, serviceType }: InspectedRegion): string =>
  `${region}: the health of ${nameOf(serviceType)}s`;

/** An answer as API Gateway takes it from the provider-api. */
const HttpAnswer = z.object({ statusCode: z.int(), body: z.string() });

/** What the provider-api says about one service type in one target. */
const ofApi = async (
  invoke: Invoke,
  inspected: InspectedRegion,
  version: string | undefined,
): Promise<Finding[]> =>
  (
    await Promise.all([
      look(healthOf(inspected), () => ofHealth(invoke, inspected, version)),
      look(`${inspected.region}: the credentials of the API`, () => ofCredentials(invoke, inspected)),
    ])
  ).flat();

/** Asks the provider-api for a path, as API Gateway would. */
const get = async (
  invoke: Invoke,
  rawPath: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<z.infer<typeof HttpAnswer>> => {
  const asked = { version: '2.0', rawPath, rawQueryString: '', headers };
  const requestContext = { requestId: 'doctor', http: { method: 'GET', path: rawPath } };
  return HttpAnswer.parse(await invoke('provider-api', { ...asked, requestContext }));
};

/** As DCM asks: its answer covers the AWS service with the permission to read it, the resource store and the queue. */
const ofHealth = async (
  invoke: Invoke,
  inspected: InspectedRegion,
  version: string | undefined,
): Promise<Finding[]> => {
  const { statusCode, body } = await get(invoke, `${new URL(inspected.endpoint).pathname}/health`);
  if (statusCode !== 200) return [wrong(`${healthOf(inspected)}: HTTP ${statusCode}: ${body}`)];
  const { status, detail, version: deployed } = Health.parse(JSON.parse(body));
  const isWell = status === 'healthy' && detail === undefined;
  const says = `${healthOf(inspected)}: ${status}${detail === undefined ? '' : `, ${detail}`}.`;
  return [{ isWrong: !isWell, says }, ...(version === undefined ? [] : [ofVersion(deployed, version)])];
};

const ofVersion = (deployed: string, version: string): Finding =>
  deployed === version
    ? well(`The version ${version} is deployed, which this command line has too.`)
    : wrong(
        `The version ${deployed} is deployed, and this command line has ${version}; expected the same. Deploy, or use the command line of ${deployed}.`,
      );

/** A token that nobody has is refused with 401 where the function can read the secrets with the tokens; else it answers that it cannot. */
const ofCredentials = async (invoke: Invoke, { region, endpoint }: InspectedRegion): Promise<Finding[]> => {
  const headers = { authorization: `Bearer doctor-${randomUUID()}` };
  const { statusCode, body } = await get(invoke, new URL(endpoint).pathname, headers);
  if (statusCode === 401) return [well(`${region}: the API refuses a token that nobody has.`)];
  return [
    wrong(
      `${region}: the API answers HTTP ${statusCode} to a token that nobody has; expected 401: ${body}. With 503 its function cannot read the secret of api.tokenSecret, or reach api.jwt.jwksUrl: its log says why.`,
    ),
  ];
};

/** With the provider's own role in the target's account, whose permissions the credentials of this machine say nothing about. */
const ofLaunch = async (invoke: Invoke, target: string): Promise<Finding[]> => {
  const { body } = HttpAnswer.parse(await invoke('provider-api', { do: 'try-launch', target }));
  const { refusal, instanceType, imageId } = LaunchTrial.parse(JSON.parse(body));
  if (refusal === undefined)
    return [well(`${target}: EC2's dry run launches a VM of defaults, ${instanceType} from ${imageId}.`)];
  return [
    wrong(
      `${target}: a VM of defaults could not be launched: ${refusal}. Expected that EC2's dry run permits it: correct what the reason names, in the settings (docs/configuration.md, provisioning) or in the account (docs/accounts.md).`,
    ),
  ];
};

const ofNats = (state: ProbeAnswer): Finding[] => {
  if (!state.connected)
    return [wrong(`NATS does not take statuses: ${state.reason}. Check nats.urls and its credentials.`)];
  if (state.unreadableRequests === undefined) return [well('NATS takes statuses.')];
  return [
    wrong(
      `NATS takes statuses, but requests to agents cannot be read: ${state.unreadableRequests}. Allow it to the NATS user, as the stack's output NatsPermissions has it.`,
    ),
  ];
};

const ofStreams = (streams: Streams, wanted: Wanted | undefined): Finding[] => [
  ...ofSubjects(streams, wanted),
  ...streams.statusStreams.map(ofWindow),
  ...ofRequestStreams(streams, wanted),
];

const ofSubjects = ({ statusSubjects }: Streams, wanted: Wanted | undefined): Finding[] => {
  const [deployed, asked] = [statusSubjects, wanted?.statusSubjects ?? statusSubjects].map((all) =>
    all.join(', '),
  );
  return deployed === asked
    ? [well(`Statuses are published on ${deployed}.`)]
    : [
        wrong(
          `The settings have statuses published on ${asked}, and what is deployed on ${deployed}. Deploy.`,
        ),
      ];
};

/**
 * What an invocation of the normaliser has published, the next one may publish again: after the queue's visibility timeout of 90 s, and within
 * its own timeout of 15 s (docs/adr/0002-outbox-in-the-fleet-item.md).
 */
export const leastWindowMs = 105_000;

const ofWindow = ({ name, duplicateWindowMs }: StatusStream): Finding => {
  const least = `expected at least ${leastWindowMs / 1000} s, within which a status whose acknowledgement was lost is published again`;
  if (duplicateWindowMs === undefined)
    return well(
      `For how long the stream ${name} drops repeated statuses is not known, because the NATS user may not publish on $JS.API.STREAM.INFO.${name}; ${least}. See the duplicate window in: nats stream info ${name}`,
    );
  const says = `The stream ${name} drops a status that it has had within ${duplicateWindowMs / 1000} s`;
  return duplicateWindowMs >= leastWindowMs
    ? well(`${says}.`)
    : wrong(
        `${says}; ${least}. DCM would get it twice. DCM sets 120 s when it starts: restart its control plane, or run: nats stream edit ${name} --dupe-window 2m`,
      );
};

const ofRequestStreams = ({ names, requestStreams }: Streams, wanted: Wanted | undefined): Finding[] => {
  const deployed = requestStreams.join(', ') || 'none';
  if (wanted !== undefined && wanted.requestStreams.join(', ') !== requestStreams.join(', '))
    return [
      wrong(
        `The settings have creates looked up on ${wanted.requestStreams.join(', ') || 'none'}, and what is deployed on ${deployed}. Deploy.`,
      ),
    ];
  if (requestStreams.length === 0)
    return [well('Creates are not looked up: the settings have no environment agent.')];
  return requestStreams.map((stream) => {
    if (names.includes(stream)) return well(`NATS has the stream ${stream}.`);
    const retries = names.filter((name) => name.endsWith('-retry'));
    if (!stream.endsWith('-retry'))
      return wrong(`NATS has no stream ${stream}. DCM's control plane creates it: is this DCM's NATS?`);
    return wrong(
      `NATS has no stream ${stream}. The agent creates it when it starts: agent.topic must be its AGENT_TOPIC_NAME, else its AGENT_NAME.${retries.length === 0 ? '' : ` Streams of agents there are: ${retries.join(', ')}.`}`,
    );
  });
};

const hasClusters = (regions: readonly InspectedRegion[], wanted: Wanted | undefined): boolean =>
  [...regions.map(({ serviceType }) => serviceType), ...Object.values(wanted?.created ?? {}).flat()].includes(
    'cluster',
  );

/** The queue of cluster steps, and its dead-letter queue. */
const ofSteps = async (invoke: Invoke, pauseMs: number): Promise<Finding[]> => {
  const ask = async () => InspectedQueues.parse(await invoke('cluster-steps', { do: 'inspect' }));
  const queue = { what: 'requests for steps of clusters', box: 'cluster-steps', pauseMs } as const;
  const { finding, depth } = await ofQueue(ask, queue);
  return [
    ...(depth.deadLetters > 0
      ? [
          wrong(
            `${depth.deadLetters} requests for steps of clusters are in the dead-letter queue (docs/runbook.md, cluster-steps-dead-letters).`,
          ),
        ]
      : []),
    finding,
  ];
};

type ExaminedQueue = {
  /** Its messages, in the plural. */
  readonly what: string;
  /** The function that takes them. */
  readonly box: FunctionName;
  /** Between the two looks. */
  readonly pauseMs: number;
};

/**
 * What waits in a queue. SQS does not say how old the oldest message is, and its metric leaves out what is retried. So what waits is looked
 * at twice: a function that works takes it meanwhile.
 */
export const ofQueue = async <Depth extends QueueDepth>(
  ask: () => Promise<Depth>,
  { what, box, pauseMs }: ExaminedQueue,
): Promise<{ readonly finding: Finding; readonly depth: Depth }> => {
  const first = await ask();
  if (isUntaken(first)) await sleep(pauseMs);
  const depth = isUntaken(first) ? await ask() : first;
  const { waiting, received, delayed } = depth;
  const finding = isUntaken(depth)
    ? wrong(
        `${waiting} ${what} wait, and nothing receives them. Is the event source of ${box} enabled, and is the function throttled (docs/runbook.md, ${box}-throttles)?`,
      )
    : well(
        `${what.charAt(0).toUpperCase()}${what.slice(1)}: ${waiting} wait, ${delayed} are delayed, ${received} are being processed or retried.`,
      );
  return { finding, depth };
};

const isUntaken = ({ waiting, received }: QueueDepth): boolean => waiting > 0 && received === 0;
