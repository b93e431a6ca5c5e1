import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { XMLBuilder } from 'fast-xml-parser';
import { Hono } from 'hono';
import * as z from 'zod';
import { reasonOf } from '../../../shared/core/errors.ts';
import type { Tags } from '../../../shared/core/ownership.ts';
import { type LocalServer, serve } from '../../processes/loopback.ts';
import { type Callers, defaultAccount, keyCallers, signatureOf } from '../callers.ts';
import { securityGroups, subnetsOf } from '../ec2/actions/network.ts';
import { Integer, type Parameter, parametersOf } from '../ec2/query-protocol.ts';
import { positionIn, tokenFor } from '../page-token.ts';
import { byPlace, callCounts, type Place, type Places, placedFaults } from '../places.ts';

type Faults = {
  /** Whether every call is refused for its rate. */
  readonly throttled: boolean;
};

/** Elastic Load Balancing for demos and tests. Clients use its API; these methods do what the API cannot. */
export type ElbEmulator = LocalServer & {
  /** Number of calls of each action, including refused calls. */
  calls(places?: Places): Readonly<Record<string, number>>;
  /** Sets faults from now on. @default everywhere */
  faults(change: Partial<Faults>, places?: Places): void;
};

type Options = {
  readonly port?: number;
  /** The home account. @default defaultAccount */
  readonly account?: string;
  /** @default keyCallers of the home account */
  readonly callers?: Callers;
};

type LoadBalancer = {
  readonly arn: string;
  readonly name: string;
  readonly type: 'application' | 'network' | 'gateway';
  readonly scheme: string;
  readonly dnsName: string;
  readonly subnetIds: readonly string[];
  readonly vpcId: string;
  readonly securityGroupIds: readonly string[];
  readonly createdAt: string;
  readonly tags: Tags;
};

type Call = { readonly place: Place; readonly balancers: Map<string, LoadBalancer> };
type Xml = string | undefined | readonly Xml[] | { readonly [name: string]: Xml };

/**
 * Starts an emulator of version 2 of Elastic Load Balancing, with AWS's Query protocol: load balancers with their tags, without listeners and
 * traffic. A load balancer is active at once.
 * @see https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 */
export const startElbEmulator = async ({
  port,
  account = defaultAccount,
  callers = keyCallers(account),
}: Options = {}): Promise<ElbEmulator> => {
  const balancers = byPlace(() => new Map<string, LoadBalancer>());
  const faults = placedFaults<Faults>({ throttled: false });
  const counts = callCounts();
  const app = new Hono();
  app.post('/', async ({ req, body }) => {
    const requestId = randomUUID();
    const xml = (content: Xml, status: 200 | ElbError['status'] = 200) =>
      body(builder.build(content), status, { 'content-type': 'text/xml', 'x-amzn-requestid': requestId });
    try {
      const parameters = parametersOf(await req.text());
      const { Action: name } = Called.parse(parameters);
      const signature = signatureOf((header) => req.header(header));
      const caller = callers(signature);
      const place = { account: caller.account, region: signature.region };
      counts.count(name, place);
      const refusal = caller.refusal(`elasticloadbalancing:${name}`);
      if (refusal) throw new ElbError('AccessDenied', refusal.message, 403);
      if (faults.at(place).throttled) throw new ElbError('Throttling', 'Rate exceeded');
      const result = actionNamed(name)(parameters, { place, balancers: balancers.at(place) });
      const answer = { [`${name}Result`]: result, ResponseMetadata: { RequestId: requestId } };
      return xml({ [`${name}Response`]: { '@xmlns': namespace, ...answer } });
    } catch (error) {
      const { code, message, status } = refusalOf(error);
      const described = { Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: message };
      return xml({ ErrorResponse: { '@xmlns': namespace, Error: described, RequestId: requestId } }, status);
    }
  });
  return { ...(await serve(app.fetch, port)), calls: counts.of, faults: faults.set };
};

const namespace = 'http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/';
const builder = new XMLBuilder({
  ...{ ignoreAttributes: false, attributeNamePrefix: '@', suppressEmptyNode: true },
});

const Called = z.object({ Action: z.string().default('') });

/** An error that the service answers. @see https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/CommonErrors.html */
class ElbError extends Error {
  override name = 'ElbError' as const;
  readonly code: string;
  readonly status: 400 | 403 | 500;

  constructor(code: string, message: string, status: ElbError['status'] = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

const refusalOf = (error: unknown): ElbError => {
  if (error instanceof ElbError) return error;
  if (error instanceof z.ZodError) return new ElbError('ValidationError', reasonOf(error));
  return new ElbError('InternalFailure', reasonOf(error), 500);
};

const actionNamed = (name: string) => {
  const action = actions.get(name);
  if (action === undefined) throw new ElbError('InvalidAction', `Could not find operation ${name}`);
  return action;
};

/** A list in the form of the protocol; the SDK sends an empty one as an empty text. */
const list = <Item extends z.ZodType>(item: Item) =>
  z
    .union([z.object({ member: z.array(item) }), z.literal('')])
    .transform((given) => (given === '' ? [] : given.member));
const members = (items: readonly Xml[]): Xml => (items.length === 0 ? '' : { member: items });

const Tag = z.object({ Key: z.string().min(1).max(128), Value: z.string().max(256).default('') });

const Creation = z.object({
  Name: z.string().regex(/^(?!-|internal-)[A-Za-z0-9-]{1,32}(?<!-)$/),
  Subnets: list(z.string()),
  SecurityGroups: list(z.string()).default([]),
  Scheme: z.enum(['internet-facing', 'internal']).default('internet-facing'),
  Type: z.enum(['application', 'network', 'gateway']).default('application'),
  Tags: list(Tag).default([]),
});

const inArn = { application: 'app', network: 'net', gateway: 'gwy' } as const;

/** @see https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html */
const createLoadBalancer = (parameters: Parameter, { place, balancers }: Call): Xml => {
  const { Name, Type, Scheme, ...asked } = Creation.parse(parameters);
  if ([...balancers.values()].some(({ name }) => name === Name))
    throw new ElbError('DuplicateLoadBalancerName', `A load balancer with the name '${Name}' exists`);
  const subnets = asked.Subnets.map((id) => {
    const subnet = subnetsOf(place.region).find((one) => one.id === id);
    if (subnet === undefined) throw new ElbError('SubnetNotFound', `The subnet ID '${id}' does not exist`);
    return subnet;
  });
  const vpcId = subnets[0]?.vpcId;
  if (vpcId === undefined) throw new ElbError('ValidationError', 'A load balancer must have a subnet');
  const unknown = asked.SecurityGroups.find((id) => !securityGroups.some((one) => one.id === id));
  if (unknown)
    throw new ElbError('InvalidSecurityGroup', `The security group ID '${unknown}' does not exist`);
  const id = randomBytes(8).toString('hex');
  const created: LoadBalancer = {
    arn: `arn:aws:elasticloadbalancing:${place.region}:${place.account}:loadbalancer/${inArn[Type]}/${Name}/${id}`,
    ...{ name: Name, type: Type, scheme: Scheme, vpcId },
    dnsName: `${Scheme === 'internal' ? 'internal-' : ''}${Name}-${randomInt(1e9)}.${place.region}.elb.amazonaws.com`,
    subnetIds: asked.Subnets,
    securityGroupIds: asked.SecurityGroups,
    createdAt: new Date().toISOString(),
    tags: Object.fromEntries(asked.Tags.map(({ Key, Value }) => [Key, Value])),
  };
  balancers.set(created.arn, created);
  return { LoadBalancers: members([balancerXml(created, place)]) };
};

/** Succeeds for one that does not exist. @see https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteLoadBalancer.html */
const deleteLoadBalancer = (parameters: Parameter, { balancers }: Call): Xml => {
  balancers.delete(z.object({ LoadBalancerArn: z.string() }).parse(parameters).LoadBalancerArn);
  return '';
};

const largestPage = 400;
const Describing = z.object({
  LoadBalancerArns: list(z.string()).optional(),
  PageSize: Integer.pipe(z.int().min(1).max(largestPage)).default(largestPage),
  Marker: z.string().optional(),
});

/** @see https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeLoadBalancers.html */
const describeLoadBalancers = (parameters: Parameter, { place, balancers }: Call): Xml => {
  const { LoadBalancerArns: arns, PageSize, Marker } = Describing.parse(parameters);
  for (const arn of arns ?? []) found(balancers, arn);
  const start = Marker === undefined ? '' : positionIn(Marker);
  if (start === undefined) throw new ElbError('ValidationError', 'The marker is not valid');
  const after = [...balancers.values()]
    .filter(({ arn }) => arn > start && (arns?.includes(arn) ?? true))
    .sort((one, other) => (one.arn < other.arn ? -1 : 1));
  const page = after.slice(0, PageSize);
  return {
    LoadBalancers: members(page.map((one) => balancerXml(one, place))),
    ...(after.length > page.length && { NextMarker: tokenFor(page.at(-1)?.arn ?? start) }),
  };
};

const mostTagged = 20;
const Described = z.object({
  ResourceArns: list(z.string()).pipe(z.array(z.string()).min(1).max(mostTagged)),
});

/** @see https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html */
const describeTags = (parameters: Parameter, { balancers }: Call): Xml => {
  const { ResourceArns } = Described.parse(parameters);
  const described = ResourceArns.map((arn) => found(balancers, arn));
  return {
    TagDescriptions: members(
      described.map(({ arn, tags }) => ({
        ResourceArn: arn,
        Tags: members(Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))),
      })),
    ),
  };
};

const found = (balancers: ReadonlyMap<string, LoadBalancer>, arn: string): LoadBalancer => {
  const one = balancers.get(arn);
  if (one === undefined) throw new ElbError('LoadBalancerNotFound', `Load balancers '[${arn}]' not found`);
  return one;
};

const balancerXml = (one: LoadBalancer, { region }: Place): Xml => {
  const subnets = subnetsOf(region).filter(({ id }) => one.subnetIds.includes(id));
  return {
    LoadBalancerArn: one.arn,
    DNSName: one.dnsName,
    CanonicalHostedZoneId: 'Z0000000000LOCAL',
    CreatedTime: one.createdAt,
    LoadBalancerName: one.name,
    Scheme: one.scheme,
    VpcId: one.vpcId,
    State: { Code: 'active' },
    Type: one.type,
    AvailabilityZones: members(subnets.map(({ id, zone }) => ({ ZoneName: zone, SubnetId: id }))),
    SecurityGroups: members(one.securityGroupIds),
    IpAddressType: 'ipv4',
  };
};

const actions: ReadonlyMap<string, (parameters: Parameter, call: Call) => Xml> = new Map([
  ['CreateLoadBalancer', createLoadBalancer],
  ['DeleteLoadBalancer', deleteLoadBalancer],
  ['DescribeLoadBalancers', describeLoadBalancers],
  ['DescribeTags', describeTags],
]);
