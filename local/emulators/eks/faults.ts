import type { Outage } from '../places.ts';
import type { Account } from './account.ts';
import type { Issue } from './cluster.ts';
import { EksError, type ErrorCode } from './rest-json.ts';

/** Faults that the emulator can inject. Those of a creation hold for what is created while they are set. */
export type Faults = {
  /** The service is out of order: it answers ServiceUnavailableException, or not at all. */
  readonly outage: Outage | undefined;
  /** Probability that a call is refused with ThrottlingException. */
  readonly throttle: number;
  /** Errors that every call of an action gets. */
  readonly refuse: Readonly<Record<string, ErrorCode>>;
  /** How long after its creation a cluster or node group cannot be found, in milliseconds. */
  readonly notFoundMs: number;
  /** The statuses of a new cluster before its first ACTIVE. EKS has shown UPDATING among them. */
  readonly creationStatuses: readonly ('PENDING' | 'CREATING' | 'UPDATING')[];
  /** The issue with which new clusters become FAILED instead of ACTIVE. */
  readonly clusterCreationFails: Issue | undefined;
  /** The status that new node groups reach instead of ACTIVE, and its issue. */
  readonly nodeGroupCreationFails: NodeGroupFailure | undefined;
  /** How updates by calls end. */
  readonly updateOutcome: 'Successful' | 'Failed';
  /**
   * How EKS refuses to delete what is CREATING, and whether it accepts a second deletion of what is DELETING. AWS documents neither.
   */
  readonly deleteWhile: {
    readonly creating: 'ResourceInUseException' | 'InvalidRequestException';
    readonly deleting: 'accepted' | 'ResourceInUseException';
  };
  /** Names of roles that do not exist. */
  readonly missingRoles: readonly string[];
  /** Zones that cannot have a control plane. */
  readonly unsupportedZones: readonly string[];
  /** Clusters that a region can have, and node groups that a cluster can have. */
  readonly limits: { readonly clusters: number; readonly nodeGroups: number };
};

export type NodeGroupFailure = { readonly status: 'CREATE_FAILED' | 'DEGRADED'; readonly issue: Issue };

/** @see https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html */
export const noFaults: Faults = {
  outage: undefined,
  throttle: 0,
  refuse: {},
  notFoundMs: 0,
  creationStatuses: ['CREATING'],
  clusterCreationFails: undefined,
  nodeGroupCreationFails: undefined,
  updateOutcome: 'Successful',
  deleteWhile: { creating: 'ResourceInUseException', deleting: 'ResourceInUseException' },
  missingRoles: [],
  unsupportedZones: ['us-east-1e'],
  limits: { clusters: 100, nodeGroups: 30 },
};

const messages: Readonly<Partial<Record<ErrorCode, string>>> = {
  AccessDeniedException: 'User is not authorized to perform this action.',
  ResourceLimitExceededException: 'The limit of this account is exceeded.',
  ServerException: 'Internal server error',
  ServiceUnavailableException: 'Service unavailable',
  ThrottlingException: 'Rate exceeded',
};

/** @throws EksError where the faults refuse this call of the action. */
export const refuse = (action: string, account: Account): void => {
  const { outage, throttle, refuse: refusals } = account.faults();
  const code = outage === undefined ? refusals[action] : 'ServiceUnavailableException';
  if (code !== undefined) throw new EksError(code, messages[code] ?? `${action} is refused.`);
  if (account.takeThrottled() || (throttle > 0 && account.random() < throttle)) {
    throw new EksError('ThrottlingException', 'Rate exceeded');
  }
};
