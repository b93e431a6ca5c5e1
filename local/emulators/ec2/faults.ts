import { Ec2Error } from './query-protocol.ts';

/** What EC2 does to its callers on a bad day, by each of its names. */
export type Faults = {
  /** Probability that a call is answered with RequestLimitExceeded, and does nothing. */
  readonly throttle: number;
  /** For how long after a change the tags are not shown by any Describe. */
  readonly tagLagMs: number;
  /** How old the state is that every Describe shows. */
  readonly staleReadMs: number;
  /** Probability that an event, of whatever kind, is never emitted. */
  readonly loseEvents: number;
  /** Regions that never emit an event. */
  readonly silentRegions: readonly string[];
  /** Probability that a call of DescribeInstances is answered with InternalError or Unavailable. */
  readonly failPages: number;
  /** A page of DescribeInstances may be short, or empty, although NextToken goes on; the last one is always empty. */
  readonly shortPages: boolean;
  /** DescribeInstances by tags finds nothing, as if that were all. It still finds what it is asked for by id. */
  readonly emptyListings: boolean;
  /** The same for this share of the instances: always the same ones, and with a larger share some more. */
  readonly partialListings: number;
  /** What RunInstances has no capacity for: a type, a zone, or a type in a zone. */
  readonly noCapacity: readonly { readonly instanceType?: string; readonly zone?: string }[];
  /** How many vCPUs a region's running on-demand instances may have together. */
  readonly vcpuLimit: number;
  /** What every call of an action is answered with. */
  readonly refuse: Readonly<Record<string, Refusal>>;
};

export const noFaults: Faults = {
  throttle: 0,
  tagLagMs: 0,
  staleReadMs: 0,
  loseEvents: 0,
  silentRegions: [],
  failPages: 0,
  shortPages: false,
  emptyListings: false,
  partialListings: 0,
  noCapacity: [],
  vcpuLimit: Number.POSITIVE_INFINITY,
  refuse: {},
};

const refusalMessages = {
  InstanceLimitExceeded: [400, 'You have requested more instances than your current instance limit allows.'],
  InternalError: [500, 'An internal error has occurred'],
  MaxSpotInstanceCountExceeded: [400, 'Max spot instance count exceeded'],
  OptInRequired: [401, 'You are not subscribed to this service.'],
  UnauthorizedOperation: [
    403,
    'You are not authorized to perform this operation. Encoded authorization failure message: bm90IGEgcmVhbCBvbmU',
  ],
  Unavailable: [503, "The server is overloaded and can't handle the request."],
  VcpuLimitExceeded: [400, 'You have requested more vCPU capacity than your current vCPU limit allows.'],
} as const satisfies Record<string, readonly [Ec2Error['status'], string]>;

/** What EC2 can be made to answer to every call of an action. */
export type Refusal = keyof typeof refusalMessages;

/** @throws Ec2Error where this action is refused now, in a dry run too. */
export const refuse = (action: string, { refuse: refusals }: Faults): void => {
  const code = refusals[action];
  if (code === undefined) return;
  const [status, message] = refusalMessages[code];
  throw new Ec2Error(code, message, status);
};
