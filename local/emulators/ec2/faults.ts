import { type EventFaults, noEventFaults } from '../event-emitter.ts';
import type { Outage } from '../places.ts';
import { Ec2Error } from './query-protocol.ts';

/** Faults that the simulator can inject. */
export type Faults = EventFaults & {
  /** The service is out of order: it answers Unavailable, or not at all. */
  readonly outage: Outage | undefined;
  /** Probability that a call is refused with RequestLimitExceeded. */
  readonly throttle: number;
  /** How long after a change of tags Describe calls still show the tags before it. */
  readonly tagLagMs: number;
  /** Age of the state that Describe calls show. */
  readonly staleReadMs: number;
  /** Probability that a DescribeInstances call fails with InternalError or Unavailable. */
  readonly failPages: number;
  /** Pages of DescribeInstances can be short or empty although there is a NextToken; the last page is always empty. */
  readonly shortPages: boolean;
  /** DescribeInstances by tags answers one empty page. Requests by id still find instances. */
  readonly emptyListings: boolean;
  /** Share of the instances that DescribeInstances by tags does not find: always the same ones, and more of them for a larger share. */
  readonly partialListings: number;
  /** What RunInstances has no capacity for: an instance type, a zone, or a type in a zone. */
  readonly noCapacity: readonly { readonly instanceType?: string; readonly zone?: string }[];
  /** Limit of the vCPUs of a region's running on-demand instances. */
  readonly vcpuLimit: number;
  /** Errors that every call of an action gets. */
  readonly refuse: Readonly<Record<string, Refusal>>;
};

export const noFaults: Faults = {
  ...noEventFaults,
  outage: undefined,
  throttle: 0,
  tagLagMs: 0,
  staleReadMs: 0,
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

/** An error that every call of an action can get. */
export type Refusal = keyof typeof refusalMessages;

/** @throws Ec2Error where the service is out of order, or the fault `refuse` names this action, in a dry run too. */
export const refuse = (action: string, { outage, refuse: refusals }: Faults): void => {
  const code = outage === undefined ? refusals[action] : 'Unavailable';
  if (code === undefined) return;
  const [status, message] = refusalMessages[code];
  throw new Ec2Error(code, message, status);
};
