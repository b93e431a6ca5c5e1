import { CloudEvent } from 'cloudevents';
import { messageText, type UnpublishedStatus, type Vm } from '../domain/vm.ts';
import { addressProblem } from '../domain/vm-id.ts';
import type { CloudEventJson } from './cloudevents.ts';

/**
 * The CloudEvent that tells DCM a VM's status. `data` has exactly `id`, `status` and `message`; what else may help a subscriber
 * rides as extensions, whose names must be lower-case letters and digits or DCM's consumer drops the event. A VM that was never launched
 * has no instance.
 * @see https://github.com/dcm-project/enhancements (state-management/service-provider-status-reporting.md, "CloudEvents Format")
 */
export const vmStatusEvent = (
  vm: Pick<Vm, 'vmId' | 'region'> & Partial<Pick<Vm, 'instanceId'>>,
  { id, key, at, status, message, requestId }: UnpublishedStatus,
  provider: string,
): CloudEventJson => {
  const event = {
    specversion: '1.0',
    id,
    source: `dcm/providers/${provider}`,
    type: 'dcm.status.vm',
    subject: 'dcm.vm',
    datacontenttype: 'application/json',
    time: `${new Date(at * 1000).toISOString().slice(0, 19)}Z`,
    data: { id: vm.vmId, status, message: withWarning(vm.vmId, message) },
    sequence: key,
    partitionkey: vm.instanceId ?? vm.vmId,
    region: vm.region,
    ...(vm.instanceId !== undefined && { instanceid: vm.instanceId }),
    ...(requestId !== undefined && { requestid: requestId }),
  } as const;
  new CloudEvent(event); // throws ValidationError where the event is not one
  return event;
};

/** A VM that was tagged by hand may have a DCM id that no request can name. */
const withWarning = (vmId: string, message: string): string => {
  const problem = addressProblem(vmId);
  return problem === undefined ? message : messageText(`${message}; ${problem}`);
};
