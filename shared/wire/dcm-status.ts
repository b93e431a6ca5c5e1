import { CloudEvent } from 'cloudevents';
import { serviceNameOf } from '../core/kind.ts';
import type { Addresses } from '../core/outputs.ts';
import { messageText, type Resource, republicationTime, type UnpublishedStatus } from '../core/resource.ts';
import { addressProblem } from '../core/resource-id.ts';
import { traceparentOf } from '../core/trace.ts';
import { type CloudEventJson, statusSubject } from './cloudevents.ts';

/**
 * The CloudEvent with a resource's status. `data` has `id`, `status` and `message`, and with the statuses that have outputs `output_spec`.
 * Everything else is in extensions; DCM's consumer drops an event with an extension name that has other characters than lower-case letters
 * and digits.
 * `resourceId` is absent for a resource that was never launched.
 * @see https://github.com/dcm-project/enhancements (state-management/service-provider-status-reporting.md, "CloudEvents Format")
 */
export const statusEvent = (
  vm: Pick<Resource, 'kind' | 'dcmId' | 'region'> &
    Partial<Pick<Resource, 'resourceId' | 'account'>> &
    Addresses,
  unpublished: UnpublishedStatus,
  provider: string,
): CloudEventJson => {
  const { id, key, at, status, message, requestId, seenBy, keyBefore } = unpublished;
  const { serviceType, idExtension, outputsOf } = vm.kind;
  const outputs = outputsOf(vm, status);
  const republishedAt = republicationTime(unpublished);
  const event = {
    specversion: '1.0',
    id,
    source: `dcm/providers/${provider}`,
    type: `dcm.status.${serviceType}`,
    subject: statusSubject(serviceType),
    datacontenttype: 'application/json',
    time: timeOf(at),
    data: {
      id: vm.dcmId,
      status,
      message: withWarning(vm, message),
      ...(outputs && { output_spec: outputs }),
    },
    sequence: key,
    partitionkey: vm.resourceId ?? vm.dcmId,
    region: vm.region,
    traceparent: traceparentOf(vm.resourceId ?? vm.dcmId, unpublished),
    ...(vm.resourceId !== undefined && { [idExtension]: serviceNameOf(vm.resourceId) }),
    ...(vm.account !== undefined && { account: vm.account }),
    ...vm.kind.billedExtensions(vm),
    ...(vm.zone !== undefined && { zone: vm.zone }),
    ...(requestId !== undefined && { requestid: requestId }),
    ...(seenBy !== undefined && { seenby: seenBy === 'api' ? 'request' : seenBy }),
    ...(keyBefore !== undefined && { previoussequence: keyBefore }),
    ...(republishedAt !== undefined && { republished: timeOf(republishedAt) }),
  } as const;
  new CloudEvent(event); // throws ValidationError where the event is not one
  return event;
};

/** A resource that was tagged by hand may have a DCM id that the API does not accept. */
const withWarning = ({ kind, dcmId }: Pick<Resource, 'kind' | 'dcmId'>, message: string): string => {
  const problem = addressProblem(dcmId, kind.serviceType);
  return problem === undefined ? message : messageText(`${message}; ${problem}`);
};
const timeOf = (seconds: number): string => `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
