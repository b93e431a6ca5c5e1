import { EC2ServiceException } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { awsError, isCapacity } from '../../../../shared/adapters/aws/errors.ts';
import {
  CapacityError,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  PermissionDeniedError,
  ResourceExhaustedError,
  ThrottledError,
  UnavailableError,
  UnprocessableError,
  UpstreamError,
} from '../../../../shared/core/errors.ts';

const refusal = (name: string, message = 'as EC2 says it') =>
  new EC2ServiceException({ name, message, $fault: 'client', $metadata: { httpStatusCode: 400 } });

const translated = (cause: unknown) => awsError(cause, { who: 'EC2 in us-east-1', what: 'run an instance' });

const table = [
  [400, InvalidArgumentError, 'InvalidAMIID.Malformed InvalidAMIID.NotFound InvalidAMIID.Unavailable'],
  [400, InvalidArgumentError, 'InvalidAvailabilityZone InvalidZone.NotFound InvalidBlockDeviceMapping'],
  [400, InvalidArgumentError, 'InvalidSubnet InvalidSubnetID.Malformed InvalidSubnetID.NotFound'],
  [
    400,
    InvalidArgumentError,
    'InvalidGroup.NotFound InvalidGroupId.Malformed InvalidSecurityGroupID.NotFound',
  ],
  [
    400,
    InvalidArgumentError,
    'InvalidIamInstanceProfileArn.Malformed InvalidInstanceType InvalidSnapshot.NotFound',
  ],
  [400, InvalidArgumentError, 'InvalidParameter InvalidParameterCombination InvalidParameterDependency'],
  [400, InvalidArgumentError, 'InvalidParameterValue MissingParameter UnknownParameter ValidationError'],
  [400, InvalidArgumentError, 'InvalidCharacter InvalidInput InvalidInstanceAttributeValue'],
  [400, InvalidArgumentError, 'InvalidInstanceID.Malformed InvalidUserData.Malformed UnknownVolumeType'],
  [400, InvalidArgumentError, 'InvalidTagKey.Malformed TagLimitExceeded'],
  [403, PermissionDeniedError, 'UnauthorizedOperation AccessDenied AccessDeniedException AuthFailure'],
  [403, PermissionDeniedError, 'Blocked OptInRequired PendingVerification'],
  [404, NotFoundError, 'InvalidInstanceID.NotFound'],
  [409, FailedPreconditionError, 'IncorrectInstanceState IncorrectState InvalidInstanceState'],
  [409, FailedPreconditionError, 'IdempotentParameterMismatch IdempotentInstanceTerminated'],
  [409, FailedPreconditionError, 'OperationNotPermitted IncorrectSpotRequestState ConcurrentTagAccess'],
  [422, UnprocessableError, 'MissingInput'],
  [422, UnprocessableError, 'UnsupportedOperation UnsupportedHibernationConfiguration'],
  [422, UnprocessableError, 'VPCIdNotSpecified VPCResourceNotSpecified'],
  [422, UnprocessableError, 'VolumeTypeNotAvailableInZone SpotMaxPriceTooLow'],
  [429, ThrottledError, 'RequestLimitExceeded Throttling ThrottlingException TooManyRequestsException'],
  [429, ResourceExhaustedError, 'InstanceLimitExceeded VcpuLimitExceeded MaxSpotInstanceCountExceeded'],
  [429, ResourceExhaustedError, 'VolumeLimitExceeded MaxIOPSLimitExceeded AddressLimitExceeded'],
  [429, ResourceExhaustedError, 'NetworkInterfaceLimitExceeded ResourceCountExceeded ResourceLimitExceeded'],
  [
    429,
    ResourceExhaustedError,
    'SecurityGroupsPerInstanceLimitExceeded SecurityGroupsPerInterfaceLimitExceeded',
  ],
  [400, InvalidArgumentError, 'InvalidParameterException ClientException BadRequestException'],
  [403, PermissionDeniedError, 'ForbiddenException'],
  [404, NotFoundError, 'ResourceNotFoundException NotFoundException'],
  [409, FailedPreconditionError, 'ResourceInUseException InvalidRequestException'],
  [422, UnprocessableError, 'UnsupportedAvailabilityZoneException'],
  [429, ResourceExhaustedError, 'ResourceLimitExceededException'],
  [503, UnavailableError, 'ServiceUnavailableException'],
  [502, UpstreamError, 'ServerException'],
  [502, UpstreamError, 'InternalError InternalFailure IncompleteSignature InvalidClientTokenId'],
  [502, UpstreamError, 'SomethingThatAwsInventsTomorrow constructor'],
  [503, CapacityError, 'InsufficientInstanceCapacity InsufficientCapacity InsufficientHostCapacity'],
  [503, CapacityError, 'InsufficientReservedInstanceCapacity InsufficientVolumeCapacity'],
  [503, CapacityError, 'InsufficientAddressCapacity InsufficientFreeAddressesInSubnet'],
  [503, CapacityError, 'UnfulfillableCapacity Unsupported'],
  [503, UnavailableError, 'Unavailable ServiceUnavailable RetryableError'],
] as const;

const rows = table.flatMap(([status, kind, codes]) =>
  codes.split(' ').map((code) => ({ code, status, kind, error: kind.name })),
);

describe('error codes of AWS', () => {
  it.each(rows)('$code is $error, which is HTTP $status (C 24)', ({ code, kind }) => {
    const error = translated(refusal(code));

    expect(error).toBeInstanceOf(kind);
    expect(error.message).toContain(code);
    expect(error.message).toContain('us-east-1');
    expect(error.message).toContain('run an instance');
    expect(isCapacity(code)).toBe(kind === CapacityError);
  });

  it('have EC2’s message where the caller can act on it', () => {
    expect(
      translated(refusal('InvalidSubnetID.NotFound', "The subnet ID 'subnet-1' does not exist")).message,
    ).toBe(
      "EC2 in us-east-1 did not run an instance: The subnet ID 'subnet-1' does not exist (InvalidSubnetID.NotFound)",
    );
  });

  it('say that the default VPC has no subnet, which a retry does not change', () => {
    const error = translated(refusal('MissingInput', 'No subnets found for the default VPC'));

    expect([error.retryable, error.message]).toEqual([
      false,
      'EC2 in us-east-1 did not run an instance: No subnets found for the default VPC (MissingInput)',
    ]);
  });

  it('say which quota is exhausted, and its limit', () => {
    const sentence = 'You have requested more vCPU capacity than your current vCPU limit of 32 allows';

    expect(translated(refusal('VcpuLimitExceeded', sentence)).message).toBe(
      `EC2 in us-east-1 did not run an instance: ${sentence} (VcpuLimitExceeded)`,
    );
  });

  it.each(['InternalError', 'Unavailable', 'RequestLimitExceeded', 'UnauthorizedOperation'])(
    'have no message of EC2 for %s: only the cause has it (C 14)',
    (code) => {
      const cause = refusal(code, 'arn:aws:sts::123456789012:assumed-role/provider/secret');

      const error = translated(cause);

      expect(error.message).not.toContain('secret');
      expect(error.cause).toBe(cause);
    },
  );

  it('say which service denies which action, and not by which policy (C 14)', () => {
    const message = `You are not authorized to perform this operation. User: arn:aws:sts::1:assumed-role/x is not authorized. Encoded authorization failure message: ${'aB3_-'.repeat(100)}`;

    expect(translated(refusal('UnauthorizedOperation', message)).message).toBe(
      'EC2 in us-east-1 does not permit this provider to run an instance (UnauthorizedOperation)',
    );
  });

  it.each([
    ['an encoded authorization message', `No. Encoded authorization failure message: ${'x_-'.repeat(90)}`],
    ['a token', `No. ${'IQoJb3JpZ2luX2VjE'.repeat(9)}`],
    [
      'user data',
      `No. ${Buffer.from('#cloud-config\nssh_authorized_keys: [x]'.repeat(9)).toString('base64')}`,
    ],
  ])('never repeat %s (C 2, C 14)', (_, message) => {
    const text = translated(refusal('InvalidParameterValue', message)).message;

    expect(text).toMatch(/: No\. ?…? \(InvalidParameterValue\)$/);
  });

  it('repeat a limited text in one line (C 3)', () => {
    const text = translated(refusal('InvalidParameterValue', `a\r\nb\u0000${' long'.repeat(1000)}`)).message;

    expect(text).toContain(': a b long');
    expect(text.length).toBeLessThan(450);
  });
});

describe('an error without a code of EC2', () => {
  it.each([
    new TypeError('fetch failed'),
    Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
    new DOMException('The operation was aborted due to timeout', 'TimeoutError'),
    'a text',
    undefined,
  ])('%s never reached EC2: unavailable', (cause) => {
    expect(translated(cause)).toBeInstanceOf(UnavailableError);
  });

  it('is an upstream error where EC2’s answer is unreadable (C 23)', () => {
    const unreadable = Object.assign(new SyntaxError('Unexpected token <'), {
      $response: { statusCode: 200 },
    });

    expect(translated(unreadable)).toBeInstanceOf(UpstreamError);
  });
});
