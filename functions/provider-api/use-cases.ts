import type { TagKeys } from '../../shared/core/ownership.ts';
import type { AgentRequests } from '../../shared/ports/agent-requests.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Instances } from '../../shared/ports/instances.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { VmRecords } from '../../shared/ports/records.ts';
import type { ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import { planLaunch } from '../../shared/service-types/vm/plan/plan-launch.ts';
import type { InstanceActions, Offerings, VcpuQuota } from '../../shared/service-types/vm/ports.ts';
import type { Provisioning } from '../../shared/service-types/vm/provisioning.ts';
import type { VmEvents, VmPage, VmResource, VmValidation } from '../../shared/service-types/vm/resource.ts';
import type { VmSpec } from '../../shared/service-types/vm/spec.ts';
import type { Health } from '../../shared/wire/health.ts';
import { changeVm } from './change-vm.ts';
import { type Asked, createVm } from './create-resource.ts';
import { deleteVm } from './delete-resource.ts';
import { livingVms, readVm } from './read-resources.ts';
import { type Refused, reportRefusals } from './report-refusals.ts';
import { validateVm } from './validate-vm.ts';

/** All that the API's operations come down to. */
export type UseCases = {
  createVm(asked: Asked): Promise<VmResource>;
  /** Runs the creation of a VM whose id is known, and has DCM be told where it is refused. */
  reportRefusals<Answer>(about: Refused, create: () => Promise<Answer>): Promise<Answer>;
  validateVm(spec: VmSpec, asked: Pick<Asked, 'region' | 'requestId'>): Promise<VmValidation>;
  readonly readVm: {
    get(vmId: string): Promise<VmResource>;
    list(asked: {
      readonly region: string;
      readonly maximumPageSize: number;
      readonly pageToken: string | undefined;
    }): Promise<VmPage>;
    events(vmId: string): Promise<VmEvents>;
  };
  /** Resolves also where there is no such VM. */
  deleteVm(vmId: string, requestId: string): Promise<void>;
  changeVm(vmId: string, change: 'start' | 'stop' | 'reboot', requestId: string): Promise<VmResource>;
  checkHealth(region: string): Promise<Health>;
  /** As AgentRequests. Undefined: the look-up is not configured. */
  readonly findRequest: AgentRequests['find'] | undefined;
};

type Parts = {
  readonly records: VmRecords;
  readonly resourceStore: ResourceStore;
  readonly instances: Instances;
  readonly actions: InstanceActions;
  readonly offerings: Offerings;
  readonly vcpuQuota: VcpuQuota;
  readonly observations: Observations;
  readonly provisioning: Provisioning;
  /** Our name at DCM. */
  readonly provider: string;
  readonly tagKeys: TagKeys;
  readonly now: Clock;
  readonly pause: (ms: number) => Promise<void>;
  readonly log: Log;
};

/** The use cases that are about VMs, each with the parts that it needs. */
export const vmUseCases = (parts: Parts): Omit<UseCases, 'checkHealth' | 'findRequest'> => {
  const { regions, maximumVms, changeAdopted } = parts.provisioning;
  const changing = { ...parts, changeAdopted };
  const read = readVm(parts);
  const counted = { ...parts, list: read.list, regions: Object.keys(regions), maximumVms };
  const planning = { ...parts, livingVms: livingVms(counted) };
  return {
    createVm: createVm({ ...changing, plan: planLaunch(planning) }),
    reportRefusals: reportRefusals(parts),
    validateVm: validateVm(planning),
    readVm: read,
    deleteVm: deleteVm(changing),
    changeVm: changeVm(changing),
  };
};
