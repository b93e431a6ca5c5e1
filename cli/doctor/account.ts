import * as z from 'zod/mini';
import type { FunctionName } from '../../infra/function-names.ts';
import { partitionOf } from '../../shared/adapters/aws/regions.ts';
import { signedCall } from '../../shared/adapters/aws/signed-call.ts';
import { counted } from '../../shared/core/errors.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { QueueDepth } from '../../shared/wire/inspection.ts';
import { type Finding, look, ofQueue, well, wrong } from './examine.ts';

type Credentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
};

/** How AWS is asked, with the credentials of this machine. */
export type AwsCaller = {
  readonly credentials: () => Promise<Credentials>;
  /** Of all services; undefined: their own in each region. */
  readonly endpoint?: string | undefined;
  readonly now?: Clock;
  /** Between the two looks at a queue whose messages wait. */
  readonly pauseMs?: number;
};

/** What the settings say about the home account. */
export type WantedInAccount = {
  readonly homeRegion: string;
  /** The stacks of the deployment, with their regions. */
  readonly stacks: readonly { readonly name: string; readonly region: string }[];
  /** The regions whose resources are reported. */
  readonly regions: readonly string[];
  /** The secrets, all of the home region, with the settings that name them. */
  readonly secrets: readonly { readonly name: string; readonly setting: string }[];
  /** ARNs of roles that must be of the account, with the settings that name them. */
  readonly roles: readonly { readonly arn: string; readonly setting: string }[];
  /** The ids of other accounts, by alias. */
  readonly accounts: Readonly<Record<string, string>>;
};

/**
 * Examines the home account with the credentials of this machine, by calls that change nothing and read no secret: whose credentials they are,
 * this machine's clock, the stacks, their EventBridge rules and queues, the secrets, and whether the regions are enabled. Never rejects.
 */
export const examineAccount = async (caller: AwsCaller, wanted: WantedInAccount): Promise<Finding[]> => {
  const ask = askerOf(caller);
  const { homeRegion, stacks, regions, secrets } = wanted;
  const { pauseMs = 5_000 } = caller;
  const stsUrl = caller.endpoint ?? `https://sts.${homeRegion}.${partitionOf(homeRegion).dnsSuffix}`;
  const findings = await Promise.all([
    look('The account of the AWS credentials', async () => ofCaller(await callerOf(ask, homeRegion), wanted)),
    look("This machine's clock", () => ofClock(stsUrl, 'AWS', caller.now)),
    ...stacks.map((stack) =>
      look(`The stack ${stack.name} in ${stack.region}`, () => ofStack(ask, stack, pauseMs)),
    ),
    ...secrets.map((secret) => look(`The secret ${secret.name}`, () => ofSecret(ask, homeRegion, secret))),
    ...(regions.length === 0
      ? []
      : [look('Whether the regions are enabled', () => ofRegions(ask, homeRegion, regions))]),
  ]);
  return findings.flat();
};

/** AWS refuses requests whose time is five minutes off. @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html */
const mostSkewMs = 60_000;

/** Compares this machine's clock with the header `Date` of a server, which has whole seconds. */
export const ofClock = async (url: string, whose: string, now: Clock = Date.now): Promise<Finding[]> => {
  const before = now();
  const asked = { redirect: 'manual', signal: AbortSignal.timeout(5_000) } as const;
  const { headers } = await fetch(url, asked).catch((cause: unknown) => {
    throw new Error(`${url} does not answer`, { cause });
  });
  const middle = (before + now()) / 2;
  const theirs = Date.parse(headers.get('date') ?? '');
  if (Number.isNaN(theirs)) throw new Error(`the answer of ${url} has no date`);
  const skewMs = middle - theirs;
  if (Math.abs(skewMs) <= mostSkewMs) return [well(`This machine's clock is that of ${whose}.`)];
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  return [
    wrong(
      `This machine's clock is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} that of ${whose}; expected at most ${mostSkewMs / 1000} s. AWS refuses requests that are five minutes off: set it by NTP.`,
    ),
  ];
};

type Asked = { readonly service: string; readonly region: string; readonly action: string };
type Answer = { readonly status: number; readonly text: string };
type Ask = {
  /** AWS's Query protocol: its answers are XML. Rejects with AWS's error. */
  readonly query: (asked: Asked & { readonly version: string }, fields?: Fields) => Promise<string>;
  /** AWS's JSON protocol. Rejects with AWS's error. */
  readonly json: (
    asked: Asked & { readonly target: string; readonly jsonVersion?: '1.0' | '1.1' },
    input: object,
  ) => Promise<unknown>;
};
type Fields = Readonly<Record<string, string>>;

/** An error that AWS answered. */
class AwsError extends Error {
  override name = 'AwsError' as const;
  readonly code: string;

  constructor({ action }: Asked, { status, text }: Answer) {
    const code =
      elementsIn(text, 'Code')[0] ?? /"__type":"(?:[^"]*#)?(\w+)/.exec(text)?.[1] ?? `HTTP ${status}`;
    super(
      `AWS answers ${code} to ${action}${/AccessDenied|Unauthorized/.test(code) ? `, which your credentials may not` : ''}`,
    );
    this.code = code;
  }
}

const askerOf = ({ credentials, endpoint }: AwsCaller): Ask => {
  const call = signedCall({ credentials, endpoint, timeoutMs: 10_000 });
  const post = async (asked: Asked, headers: Fields, body: string): Promise<string> => {
    const { service, region } = asked;
    const answer = await call({ service, target: { region }, method: 'POST', path: '/', headers, body });
    if (answer.status >= 400) throw new AwsError(asked, answer);
    return answer.text;
  };
  return {
    query: ({ version, ...asked }, fields = {}) =>
      post(
        asked,
        { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
        new URLSearchParams({ Action: asked.action, Version: version, ...fields }).toString(),
      ),
    json: async ({ target, jsonVersion = '1.1', ...asked }, input) =>
      JSON.parse(
        await post(
          asked,
          {
            'content-type': `application/x-amz-json-${jsonVersion}`,
            'x-amz-target': `${target}.${asked.action}`,
          },
          JSON.stringify(input),
        ),
      ),
  };
};

/** The texts of the elements with a name, which have no attributes in AWS's answers. */
const elementsIn = (xml: string, name: string): string[] =>
  [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, text = '']) => text);

type Caller = { readonly account: string; readonly arn: string };

const callerOf = async (ask: Ask, region: string): Promise<Caller> => {
  const xml = await ask.query({ service: 'sts', region, action: 'GetCallerIdentity', version: '2011-06-15' });
  const [[account], [arn]] = [elementsIn(xml, 'Account'), elementsIn(xml, 'Arn')];
  if (account === undefined || arn === undefined) throw new Error('STS answered without an account');
  return { account, arn };
};

/** The settings do not name the home account. They name others, and roles that are of the home account where it is right. */
const ofCaller = ({ account, arn }: Caller, { accounts, roles }: WantedInAccount): Finding[] => {
  const [alias] = Object.entries(accounts).find(([, id]) => id === account) ?? [];
  const advice = 'Use credentials of the home account, for instance by AWS_PROFILE';
  if (alias !== undefined)
    return [
      wrong(
        `The AWS credentials are of the account ${account}, which the settings have as ${alias}; expected the home account, which the functions are deployed in. ${advice}.`,
      ),
    ];
  const others = roles.filter((role) => role.arn.split(':')[4] !== account);
  if (others.length === 0) return [well(`The AWS credentials are of the account ${account}: ${arn}.`)];
  return others.map((role) =>
    wrong(
      `The AWS credentials are of the account ${account}, and the setting ${role.setting} names a role of ${role.arn.split(':')[4]}; expected one account. ${advice}, or correct the setting.`,
    ),
  );
};

type Stack = WantedInAccount['stacks'][number];

const ofStack = async (ask: Ask, { name, region }: Stack, pauseMs: number): Promise<Finding[]> => {
  const asked = { service: 'cloudformation', region, version: '2010-05-15' };
  const described = await ask
    .query({ ...asked, action: 'DescribeStacks' }, { StackName: name })
    .catch(absent);
  const what = `The stack ${name} in ${region}`;
  if (described === undefined)
    return [wrong(`${what} does not exist. Deploy, or use credentials of the account that it is in.`)];
  const [status = 'unknown'] = elementsIn(described, 'StackStatus');
  if (status.endsWith('_IN_PROGRESS'))
    return [wrong(`${what} is being changed (${status}). Run this again when that has ended.`)];
  const resources = await resourcesOf(ask, { name, region });
  const [rules, queues] = await Promise.all([
    look(`The EventBridge rules of ${name} in ${region}`, () => ofRules(ask, { name, region }, resources)),
    look(`The queues of ${name} in ${region}`, () => ofQueues(ask, { name, region }, resources, pauseMs)),
  ]);
  return [ofStatus(what, status), ...rules, ...queues];
};

/** @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html (stack status codes) */
const ofStatus = (what: string, status: string): Finding =>
  /^(CREATE|UPDATE|IMPORT)_COMPLETE$/.test(status)
    ? well(`${what} is deployed (${status}).`)
    : wrong(
        `${what} is ${status}: its last change failed. Its events in CloudFormation say why; then deploy.`,
      );

const absent = (error: unknown): undefined => {
  if (error instanceof AwsError && error.code === 'ValidationError') return undefined;
  throw error;
};

type Resource = { readonly type: string; readonly logicalId: string; readonly id: string };

/** Those that were created. */
const resourcesOf = async (ask: Ask, { name, region }: Stack): Promise<Resource[]> => {
  const asked = { service: 'cloudformation', region, action: 'ListStackResources', version: '2010-05-15' };
  const resources: Resource[] = [];
  let next: string | undefined;
  do {
    const xml = await ask.query(asked, { StackName: name, ...(next !== undefined && { NextToken: next }) });
    for (const member of xml.split('<member>').slice(1)) {
      const [type, logicalId, id] = ['ResourceType', 'LogicalResourceId', 'PhysicalResourceId'].map(
        (element) => elementsIn(member, element)[0],
      );
      if (type !== undefined && logicalId !== undefined && id !== undefined)
        resources.push({ type, logicalId, id });
    }
    [next] = elementsIn(xml, 'NextToken');
  } while (next !== undefined);
  return resources;
};

/** The rules of a stack that are disabled, or that somebody has deleted. */
const ofRules = async (
  ask: Ask,
  { name, region }: Stack,
  resources: readonly Resource[],
): Promise<Finding[]> => {
  const rules = resources.filter(({ type }) => type === 'AWS::Events::Rule').map(({ id }) => ruleOf(id));
  const states = await Promise.all(rules.map((rule) => stateOf(ask, region, rule)));
  const bad = rules.flatMap((rule, index) =>
    states[index] === 'ENABLED' ? [] : [{ rule, state: states[index] }],
  );
  if (bad.length === 0)
    return rules.length === 0
      ? []
      : [well(`EventBridge has ${counted(rules.length, 'rule')} of ${name} in ${region} enabled.`)];
  return bad.map(({ rule, state }) =>
    state === undefined
      ? wrong(
          `The EventBridge rule ${rule.name} of ${name} in ${region} was deleted; expected that it is enabled. ${adviceOnDeleted}`,
        )
      : wrong(
          `The EventBridge rule ${rule.name} in ${region} is ${state}; expected ENABLED. Run: aws events enable-rule --region ${region} --name ${rule.name}${rule.bus === undefined ? '' : ` --event-bus-name ${rule.bus}`}`,
        ),
  );
};

const adviceOnDeleted = 'Drift detection of the stack in CloudFormation shows what it was: create it again.';

type Rule = { readonly name: string; readonly bus: string | undefined };

/** CloudFormation's id of a rule: its name; on another bus than the default one, after that of the bus, as in `bus|rule`. */
const ruleOf = (id: string): Rule => {
  const [name = '', bus] = id
    .replace(/^arn:.*:rule\//, '')
    .split(/[|/]/)
    .reverse();
  return { name, bus };
};

const RuleState = z.object({ State: z.string() });

/** Undefined: there is no such rule. */
const stateOf = async (ask: Ask, region: string, { name, bus }: Rule): Promise<string | undefined> => {
  const asked = { service: 'events', region, action: 'DescribeRule', target: 'AWSEvents' };
  try {
    return RuleState.parse(
      await ask.json(asked, { Name: name, ...(bus !== undefined && { EventBusName: bus }) }),
    ).State;
  } catch (error) {
    if (error instanceof AwsError && error.code === 'ResourceNotFoundException') return undefined;
    throw error;
  }
};

/** By the logical id without the hash at its end: the function that takes the messages, or the alarm of the dead-letter queue. */
const queuesById: Readonly<
  Record<string, { readonly box: FunctionName } | { readonly alarm: string } | undefined>
> = {
  ObservationsQueue: { box: 'normaliser' },
  ObservationsDeadLetters: { alarm: 'observations-dead-letters' },
  InstanceEventsDeadLetters: { alarm: 'instance-events-dead-letters' },
  HubInstanceEventsDeadLetters: { alarm: 'account-events-dead-letters' },
  InventoryEventsQueue: { box: 'inventory' },
  InventoryEventsDeadLetters: { alarm: 'inventory-dead-letters' },
  StatusBusChangesQueue: { box: 'change-feed' },
  StatusBusChangesDeadLetters: { alarm: 'change-feed-dead-letters' },
  StatusBusUndelivered: { alarm: 'status-bus-dead-letters' },
  UsageEventsQueue: { box: 'usage' },
  UsageEventsDeadLetters: { alarm: 'usage-dead-letters' },
  UsageUndelivered: { alarm: 'usage-undelivered' },
};

/** What is known of a queue of a stack, by its logical id. Undefined of those of cluster-steps, which that function counts (examine.ts). */
export const queueOf = (logicalId: string) => queuesById[logicalId.slice(0, -8)];

/** How many messages wait for each function, and what is in the dead-letter queues. */
const ofQueues = async (
  ask: Ask,
  stack: Stack,
  resources: readonly Resource[],
  pauseMs: number,
): Promise<Finding[]> => {
  const { name, region } = stack;
  const queues = resources.flatMap(({ type, logicalId, id: url }) => {
    const queue = type === 'AWS::SQS::Queue' ? queueOf(logicalId) : undefined;
    return queue === undefined ? [] : [{ ...queue, url }];
  });
  const findings = await Promise.all(
    queues.map(async (queue): Promise<Finding[]> => {
      const depth = () => depthOf(ask, region, queue.url);
      try {
        if ('alarm' in queue) return ofDeadLetters(await depth(), stack, queue);
        const { box } = queue;
        const what = `messages for the function ${box}`;
        return [(await ofQueue(depth, { what, box, pauseMs })).finding];
      } catch (error) {
        if (!(error instanceof AwsError && /QueueDoesNotExist|NonExistentQueue/.test(error.code)))
          throw error;
        return [
          wrong(
            `The queue ${queue.url} of ${name} in ${region} was deleted; expected that it exists. ${adviceOnDeleted}`,
          ),
        ];
      }
    }),
  );
  const count = queues.filter((queue, index) => 'alarm' in queue && findings[index]?.length === 0).length;
  return [
    ...findings.flat(),
    ...(count === 0
      ? []
      : [well(`SQS has ${counted(count, 'dead-letter queue')} of ${name} in ${region} empty.`)]),
  ];
};

const ofDeadLetters = (
  { waiting, received }: QueueDepth,
  { name, region }: Stack,
  { url, alarm }: { readonly url: string; readonly alarm: string },
): Finding[] => {
  const count = waiting + received;
  if (count === 0) return [];
  return [
    wrong(
      `A dead-letter queue of ${name} in ${region} has ${counted(count, 'message')}; expected none. docs/runbook.md, ${alarm}, says what to do. Read them with: aws sqs receive-message --region ${region} --message-attribute-names All --queue-url ${url}`,
    ),
  ];
};

const Count = z.pipe(z.string().check(z.regex(/^\d+$/)), z.transform(Number));
const QueueAttributes = z.object({
  Attributes: z.object({
    ApproximateNumberOfMessages: Count,
    ApproximateNumberOfMessagesNotVisible: Count,
    ApproximateNumberOfMessagesDelayed: Count,
  }),
});

/** @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html */
const depthOf = async (ask: Ask, region: string, url: string): Promise<QueueDepth> => {
  const asked = { service: 'sqs', region, action: 'GetQueueAttributes', target: 'AmazonSQS' };
  const { Attributes } = QueueAttributes.parse(
    await ask.json(
      { ...asked, jsonVersion: '1.0' },
      { QueueUrl: url, AttributeNames: Object.keys(QueueAttributes.shape.Attributes.shape) },
    ),
  );
  return {
    waiting: Attributes.ApproximateNumberOfMessages,
    received: Attributes.ApproximateNumberOfMessagesNotVisible,
    delayed: Attributes.ApproximateNumberOfMessagesDelayed,
  };
};

const DescribedSecret = z.object({
  DeletedDate: z.optional(z.unknown()),
  VersionIdsToStages: z.optional(z.record(z.string(), z.array(z.string()))),
});

/** Whether a secret exists and has a value, which is not read: whether the functions may read it, they say themselves. */
const ofSecret = async (
  ask: Ask,
  region: string,
  { name, setting }: WantedInAccount['secrets'][number],
): Promise<Finding[]> => {
  const asked = { service: 'secretsmanager', region, action: 'DescribeSecret', target: 'secretsmanager' };
  const which = `The secret ${name} in ${region}, which the setting ${setting} names,`;
  try {
    const { DeletedDate, VersionIdsToStages = {} } = DescribedSecret.parse(
      await ask.json(asked, { SecretId: name }),
    );
    if (DeletedDate !== undefined)
      return [
        wrong(
          `${which} is being deleted. Run: aws secretsmanager restore-secret --region ${region} --secret-id ${name}`,
        ),
      ];
    if (!Object.values(VersionIdsToStages).flat().includes('AWSCURRENT'))
      return [
        wrong(
          `${which} has no value. Run: aws secretsmanager put-secret-value --region ${region} --secret-id ${name} --secret-string file://FILE`,
        ),
      ];
    return [well(`The secret ${name} exists, and has a value.`)];
  } catch (error) {
    if (!(error instanceof AwsError && error.code === 'ResourceNotFoundException')) throw error;
    return [
      wrong(
        `${which} does not exist. Run: aws secretsmanager create-secret --region ${region} --name ${name} --secret-string file://FILE`,
      ),
    ];
  }
};

const ofRegions = async (ask: Ask, homeRegion: string, regions: readonly string[]): Promise<Finding[]> => {
  const asked = { service: 'ec2', region: homeRegion, action: 'DescribeRegions', version: '2016-11-15' };
  const names = Object.fromEntries(regions.map((region, index) => [`RegionName.${index + 1}`, region]));
  const xml = await ask.query(asked, { AllRegions: 'true', ...names });
  const [found, states] = [elementsIn(xml, 'regionName'), elementsIn(xml, 'optInStatus')];
  const disabled = regions.filter((region) => states[found.indexOf(region)] === 'not-opted-in');
  if (disabled.length === 0) return [well(`The account has ${regions.join(', ')} enabled.`)];
  return disabled.map((region) =>
    wrong(
      `The account has not enabled the region ${region}, whose resources the settings have reported; expected that it is opted in. Run: aws account enable-region --region-name ${region}, or remove it from the settings.`,
    ),
  );
};
