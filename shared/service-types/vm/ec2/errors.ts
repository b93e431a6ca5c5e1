import {
  CapacityError,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  PermissionDeniedError,
  type ProviderError,
  ResourceExhaustedError,
  reasonOf,
  ThrottledError,
  UnavailableError,
  UnprocessableError,
  UnsendableError,
  UpstreamError,
} from '../../../core/errors.ts';

type ErrorClass = new (message: string, options?: ErrorOptions) => ProviderError;

/**
 * What each of EC2's error codes means for whoever asked us. What is not listed is EC2's own fault, or ours: 502. `Unsupported` is what EC2
 * says of a type that a zone does not have, so that another placement may do.
 * @see https://docs.aws.amazon.com/ec2/latest/devguide/errors-overview.html
 */
const codesBy: readonly (readonly [ErrorClass, readonly string[]])[] = [
  [
    InvalidArgumentError,
    [
      'InvalidAMIID.Malformed',
      'InvalidAMIID.NotFound',
      'InvalidAMIID.Unavailable',
      'InvalidAvailabilityZone',
      'InvalidBlockDeviceMapping',
      'InvalidCharacter',
      'InvalidGroup.NotFound',
      'InvalidGroupId.Malformed',
      'InvalidIamInstanceProfileArn.Malformed',
      'InvalidInput',
      'InvalidInstanceAttributeValue',
      'InvalidInstanceID.Malformed',
      'InvalidInstanceType',
      'InvalidParameter',
      'InvalidParameterCombination',
      'InvalidParameterDependency',
      'InvalidParameterValue',
      'InvalidSecurityGroupID.NotFound',
      'InvalidSnapshot.NotFound',
      'InvalidSubnet',
      'InvalidSubnetID.Malformed',
      'InvalidSubnetID.NotFound',
      'InvalidTagKey.Malformed',
      'InvalidUserData.Malformed',
      'InvalidZone.NotFound',
      'MissingParameter',
      'TagLimitExceeded',
      'UnknownParameter',
      'UnknownVolumeType',
      'ValidationError',
    ],
  ],
  [
    PermissionDeniedError,
    [
      'AccessDenied',
      'AccessDeniedException',
      'AuthFailure',
      'Blocked',
      'OptInRequired',
      'PendingVerification',
      'UnauthorizedOperation',
    ],
  ],
  [NotFoundError, ['InvalidInstanceID.NotFound']],
  [
    FailedPreconditionError,
    [
      'ConcurrentTagAccess',
      'IdempotentInstanceTerminated',
      'IdempotentParameterMismatch',
      'IncorrectInstanceState',
      'IncorrectSpotRequestState',
      'IncorrectState',
      'InvalidInstanceState',
      'OperationNotPermitted', // termination or stop protection
    ],
  ],
  [
    UnprocessableError,
    [
      'MissingInput', // such as: no subnets found for the default VPC
      'SpotMaxPriceTooLow',
      'UnsupportedHibernationConfiguration',
      'UnsupportedOperation',
      'VPCIdNotSpecified',
      'VPCResourceNotSpecified',
      'VolumeTypeNotAvailableInZone',
    ],
  ],
  [
    ResourceExhaustedError,
    [
      'AddressLimitExceeded',
      'InstanceLimitExceeded',
      'MaxIOPSLimitExceeded',
      'MaxSpotInstanceCountExceeded',
      'NetworkInterfaceLimitExceeded',
      'ResourceCountExceeded',
      'ResourceLimitExceeded',
      'SecurityGroupsPerInstanceLimitExceeded',
      'SecurityGroupsPerInterfaceLimitExceeded',
      'VcpuLimitExceeded',
      'VolumeLimitExceeded',
    ],
  ],
  [ThrottledError, ['RequestLimitExceeded', 'Throttling', 'ThrottlingException', 'TooManyRequestsException']],
  [
    CapacityError,
    [
      'InsufficientAddressCapacity',
      'InsufficientCapacity',
      'InsufficientFreeAddressesInSubnet',
      'InsufficientHostCapacity',
      'InsufficientInstanceCapacity',
      'InsufficientReservedInstanceCapacity',
      'InsufficientVolumeCapacity',
      'UnfulfillableCapacity',
      'Unsupported',
    ],
  ],
  [UnavailableError, ['RetryableError', 'ServiceUnavailable', 'Unavailable']],
];

const classes: ReadonlyMap<string, ErrorClass> = new Map(
  codesBy.flatMap(([errorClass, codes]) => codes.map((code) => [code, errorClass] as const)),
);

/** An SDK client failed before any attempt of a request reached the network, so AWS knows nothing of it. */
export class UnsentRequestError extends Error {
  override name = 'UnsentRequestError' as const;
  constructor(cause: unknown) {
    super(reasonOf(cause), { cause });
  }
}

/** The AWS error code of anything thrown by an SDK client, or what the error is called where AWS never answered. */
export const codeOf = (error: unknown): string =>
  error instanceof Error ? error.name : 'an error without a name';

/** Requests come too fast, for whatever reason EC2 gives. */
export const isThrottling = (code: string): boolean => classes.get(code) === ThrottledError;

/** No time and no repetition makes room; another placement may. */
export const isCapacity = (code: string): boolean => classes.get(code) === CapacityError;

/**
 * What an SDK client threw, as one of ours: `who` did not do `what`, as in "run an instance". A refusal of the request carries AWS's own
 * sentence, without what it may quote; the rest only the code, and all of it as cause.
 */
export const awsError = (cause: unknown, { who, what }: { who: string; what: string }): ProviderError => {
  if (cause instanceof UnsentRequestError)
    return new UnsendableError(
      `${who} was not asked to ${what}: the request could not be built or signed (${publicText(cause.message)})`,
      { cause },
    );
  const code = codeOf(cause);
  const known = classes.get(code) ?? (hasAnswered(cause) ? UpstreamError : UnavailableError);
  if (known === PermissionDeniedError)
    return new known(`${who} does not permit this provider to ${what} (${code})`, { cause });
  const said = !terse.includes(known) && cause instanceof Error ? `: ${publicText(cause.message)}` : '';
  return new known(`${who} did not ${what}${said} (${code})`, { cause });
};

/** Else the request never reached EC2, or its answer never reached us. */
const hasAnswered = (cause: unknown): boolean =>
  cause instanceof Error && ('$fault' in cause || ('$response' in cause && cause.$response !== undefined));

/** Of these AWS's sentence says no more than the code. */
const terse: readonly ErrorClass[] = [UpstreamError, UnavailableError, ThrottledError];

const longest = 300;

/** EC2's sentence without what it quotes: encoded authorization messages, tokens, user data, and line ends. */
const publicText = (text: string): string =>
  text
    .replace(/encoded authorization failure message:.*$/is, '')
    .replace(/[A-Za-z0-9+/_=-]{40,}/g, '…')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, longest);
