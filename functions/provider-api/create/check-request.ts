import { createHash } from 'node:crypto';
import { FailedPreconditionError } from '../../../shared/domain/errors.ts';
import { type CreateRequest, type LaunchedRecord, refuseDeleted } from '../../../shared/domain/vm-record.ts';
import type { VmSpec } from '../spec/vm-spec.ts';

/** The same for specs that ask for the same, in whatever order. */
export const specDigest = (spec: VmSpec): string =>
  createHash('sha256').update(JSON.stringify(spec, inOrder)).digest('base64url');

const inOrder = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;

/**
 * One request creates one VM: JetStream delivers it again when an agent did not acknowledge it, and its VM may have ended meanwhile.
 * @throws FailedPreconditionError where the VM that is gone was the request's own, or where DCM deleted it.
 */
export const refuseSecondVm = (gone: LaunchedRecord, request: CreateRequest | undefined): void => {
  refuseDeleted(gone, request);
  if (request !== undefined && gone.requestKey === request.key)
    throw new FailedPreconditionError(
      `the request ${request.key} created ${gone.vmId}, which is gone; a request creates one VM`,
    );
};

/**
 * DCM sends a create again under another key, with the same spec, where it has not heard of the first one. Another spec is another VM's.
 * @throws FailedPreconditionError where the VM was created by another request with another spec.
 */
export const refuseAnotherSpec = (vm: LaunchedRecord, request: CreateRequest | undefined): void => {
  if (request === undefined || vm.requestKey === undefined || vm.requestKey === request.key) return;
  if (vm.specDigest === request.specDigest) return;
  throw new FailedPreconditionError(
    `${vm.vmId} was created by the request ${vm.requestKey}, with another spec than that of ${request.key}`,
  );
};
