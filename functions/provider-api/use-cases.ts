import type { TagKeys } from '../../shared/core/ownership.ts';
import type { Target } from '../../shared/core/target.ts';
import { targetOfKey } from '../../shared/core/target.ts';
import type { AgentRequests } from '../../shared/ports/agent-requests.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import { planLaunch } from '../../shared/service-types/vm/plan/plan-launch.ts';
import type {
  InstanceActions,
  Instances,
  Offerings,
  VcpuQuota,
} from '../../shared/service-types/vm/ports.ts';
import type { Provisioning } from '../../shared/service-types/vm/provisioning.ts';
import type { VmRecords } from '../../shared/service-types/vm/record.ts';
import { vmResource } from '../../shared/service-types/vm/resource.ts';
import type { Health } from '../../shared/wire/health.ts';
import { changeVm } from './change-vm.ts';
import { checkInstance, refuseAdopted, terminateInstance } from './check-instance.ts';
import { awaitCreation, createResource } from './create-resource.ts';
import { deleteResource, terminateResource } from './delete-resource.ts';
import { findOrphan, launchVm, type PlanLaunch } from './launch-vm.ts';
import { countLiving, readResources } from './read-resources.ts';
import { reportRefusals } from './report-refusals.ts';
import { validateVm } from './validate-vm.ts';

/** What the API's operations call. */
export type UseCases = ReturnType<typeof vmUseCases> & {
  checkHealth(target: Target): Promise<Health>;
  /** As AgentRequests.find. Undefined: the look-up is not configured. */
  readonly findRequest: AgentRequests['find'] | undefined;
};

type LifecyclePorts = {
  readonly records: VmRecords;
  readonly resourceStore: ResourceStore;
  readonly instances: Pick<Instances, 'list' | 'describe'>;
  readonly actions: InstanceActions;
  readonly observations: Observations;
  /** Our name at DCM. */
  readonly provider: string;
  readonly tagKeys: TagKeys;
  readonly now: Clock;
  readonly pause: (ms: number) => Promise<void>;
  readonly log: Log;
};

type Ports = LifecyclePorts & {
  readonly offerings: Offerings;
  readonly vcpuQuota: VcpuQuota;
  readonly provisioning: Provisioning;
};

/** The use cases of VMs. */
export const vmUseCases = (ports: Ports) => {
  const { regions, maximumVms, changeAdopted } = ports.provisioning;
  const readVm = readVms(ports);
  const livingVms = countLiving({
    ...{ records: ports.records, list: readVm.list },
    ...{ targets: Object.keys(regions).map(targetOfKey), maximum: maximumVms },
  });
  const planning = { ...ports, livingVms };
  return {
    ...vmLifecycle({ ...ports, plan: planLaunch(planning), changeAdopted }),
    validateVm: validateVm(planning),
    readVm,
  };
};

/** The use cases that read VMs. */
export const readVms = (ports: Pick<LifecyclePorts, 'records' | 'resourceStore' | 'now' | 'log'>) =>
  readResources({ ...ports, answerOf: vmResource });

/** The use cases that create, change and delete VMs. Only `launchVm` and `changeVm` know how: another service type brings its own. */
export const vmLifecycle = (
  ports: LifecyclePorts & {
    readonly plan: PlanLaunch;
    /** Whether instances that this provider did not launch may be changed. */
    readonly changeAdopted: boolean;
  },
) => {
  const isStillTheVm = checkInstance(ports);
  const requestTermination = terminateInstance(ports);
  const orphanOf = findOrphan(ports);
  const creationOf = awaitCreation(ports);
  const terminate = terminateResource({ ...ports, isStillIt: isStillTheVm, requestTermination });
  return {
    createVm: createResource({
      ...ports,
      launch: launchVm({ ...ports, isStillTheVm, requestTermination, orphanOf }),
      ...{ terminate, creationOf, refuseAdopted: refuseAdopted(ports), answerOf: vmResource },
    }),
    reportRefusals: reportRefusals(ports),
    deleteVm: deleteResource({ ...ports, creationOf, orphanOf, terminate }),
    changeVm: changeVm({ ...ports, isStillTheVm, refuseAdopted: refuseAdopted(ports) }),
  };
};
