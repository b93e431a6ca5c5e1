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
} from '../../core/errors.ts';

type ErrorClass = new (message: string, options?: ErrorOptions) => ProviderError;

/**
 * The error class of each error code of the AWS services. Codes that are not listed are faults of AWS or ours: HTTP 502. EC2 answers
 * `Unsupported` where a zone does not have an instance type, so another placement may succeed. The codes of ECS and EKS end in `Exception`.
 * @see https://docs.aws.amazon.com/ec2/latest/devguide/errors-overview.html
 * @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html
 * @see https://docs.aws.amazon.com/eks/latest/APIReference/CommonErrors.html
 */
const codesBy: readonly (readonly [ErrorClass, readonly string[]])[] = [
  [
    InvalidArgumentError,
    [
      'BadRequestException',
      'ClientException',
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
      'InvalidParameterException',
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
      'BlockedException',
      'ForbiddenException',
      'OptInRequired',
      'PendingVerification',
      'UnauthorizedOperation',
    ],
  ],
  [NotFoundError, ['InvalidInstanceID.NotFound', 'NotFoundException', 'ResourceNotFoundException']],
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
      'InvalidRequestException',
      'OperationNotPermitted', // termination or stop protection
      'ResourceInUseException', // of EKS: a name is taken, or something is attached or under way
    ],
  ],
  [
    UnprocessableError,
    [
      'ClusterNotFoundException',
      'MissingInput', // such as: no subnets found for the default VPC
      'PlatformTaskDefinitionIncompatibilityException',
      'PlatformUnknownException',
      'SpotMaxPriceTooLow',
      'UnsupportedAvailabilityZoneException',
      'UnsupportedFeatureException',
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
      'LimitExceededException',
      'MaxIOPSLimitExceeded',
      'MaxSpotInstanceCountExceeded',
      'NetworkInterfaceLimitExceeded',
      'ResourceCountExceeded',
      'ResourceLimitExceeded',
      'ResourceLimitExceededException',
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
  [UnavailableError, ['RetryableError', 'ServiceUnavailable', 'ServiceUnavailableException', 'Unavailable']],
];

const classes: ReadonlyMap<string, ErrorClass> = new Map(
  codesBy.flatMap(([errorClass, codes]) => codes.map((code) => [code, errorClass] as const)),
);

/** An SDK client failed before it sent a request, so AWS has not received it. */
export class UnsentRequestError extends Error {
  override name = 'UnsentRequestError' as const;
  constructor(cause: unknown) {
    super(reasonOf(cause), { cause });
  }
}

/** The AWS error code of anything thrown by an SDK client; the name of the error where AWS did not answer. */
export const codeOf = (error: unknown): string =>
  error instanceof Error ? error.name : 'an error without a name';

/** Codes of credentials that are not accepted, or not any more, and of actions that they do not permit. */
const refusedCallerCodes: readonly string[] = [
  'AccessDenied',
  'AccessDeniedException',
  'AuthFailure',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidClientTokenId',
  'RequestExpired',
  'UnauthorizedOperation',
  'UnrecognizedClientException',
];

/** AWS refused the caller, as opposed to the request. */
export const isRefusedCaller = (error: unknown): boolean => refusedCallerCodes.includes(codeOf(error));

/** The same of the text of an answer. */
export const refusesCaller = (text: string): boolean =>
  refusedCallerCodes.some((code) => new RegExp(`\\b${code}\\b`).test(text));

/** The request was throttled. */
export const isThrottling = (code: string): boolean => classes.get(code) === ThrottledError;

/** EC2 has no capacity: retries of the same placement do not help, another placement may. */
export const isCapacity = (code: string): boolean => classes.get(code) === CapacityError;

/**
 * Anything thrown by an SDK client as one of our errors. `who` is the service, `what` the action, as in "run an instance". Refusals have AWS's
 * own message, without what it may quote; other errors only the code. The cause has everything.
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
  const said = !codeOnly.includes(known) && cause instanceof Error ? `: ${publicText(cause.message)}` : '';
  return new known(`${who} did not ${what}${said} (${code})`, { cause });
};

/** Otherwise the request was not received, or the answer was lost. */
const hasAnswered = (cause: unknown): boolean =>
  cause instanceof Error && ('$fault' in cause || ('$response' in cause && cause.$response !== undefined));

/** AWS's message of these errors says no more than the code. */
const codeOnly: readonly ErrorClass[] = [UpstreamError, UnavailableError, ThrottledError];

const maximumLength = 300;

/** AWS's message without encoded authorization messages, tokens, user data and line breaks. */
const publicText = (text: string): string =>
  text
    .replace(/encoded authorization failure message:.*$/is, '')
    .replace(/[A-Za-z0-9+/_=-]{40,}/g, '…')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, maximumLength);
