import { NotFoundError, UnavailableError } from '../../../shared/core/errors.ts';
import { listingTime } from '../../../shared/core/gate.ts';
import { billedFactsOf } from '../../../shared/core/outputs.ts';
import { isRecentlyLaunched } from '../../../shared/core/ownership.ts';
import { targetOfKey } from '../../../shared/core/target.ts';
import { NoQuery, type Operation, operationsOf } from '../../../shared/http/operation.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import { vmKind } from '../../../shared/service-types/vm/kind.ts';
import type { LaunchPlan } from '../../../shared/service-types/vm/launch.ts';
import { planLaunch } from '../../../shared/service-types/vm/plan/plan-launch.ts';
import type {
  Instance,
  InstanceActions,
  Instances,
  Offerings,
  VcpuQuota,
} from '../../../shared/service-types/vm/ports.ts';
import type { Provisioning } from '../../../shared/service-types/vm/provisioning.ts';
import { factsSeen, type VmFacts, vmRecords } from '../../../shared/service-types/vm/record.ts';
import {
  VmEvents,
  VmPage,
  VmResource,
  VmValidation,
  vmResource,
} from '../../../shared/service-types/vm/resource.ts';
import { specOf, type VmSpec } from '../../../shared/service-types/vm/spec.ts';
import { type Change, changeVm } from '../change-vm.ts';
import { checkResource, refuseAdopted } from '../check-resource.ts';
import type { Lifecycle } from '../lifecycle.ts';
import { type Collection, collectionOperations, idsOf, resourcePath } from '../operations/collection.ts';
import { countLiving, readResources } from '../read-resources.ts';
import {
  type CollectionUseCases,
  type LifecyclePorts,
  resourceUseCases,
  type UseCases,
} from '../use-cases.ts';
import { validateVm } from '../validate-vm.ts';

/** The use cases of VMs. */
export type VmUseCases = CollectionUseCases<VmSpec, VmResource, VmValidation> & {
  readonly change: ReturnType<typeof changeVm>;
};

const vms: Collection<VmSpec, VmResource, VmValidation> = {
  kind: vmKind,
  service: 'EC2',
  specOf,
  answers: { resource: VmResource, page: VmPage, events: VmEvents, validation: VmValidation },
  texts: {
    deletes: 'Terminates the instance.',
    validates:
      'Chooses image, instance type and subnet as a create would, and asks EC2 for a dry run of the launch.',
  },
  useCasesOf: ({ vm }) => vm,
};

const changes = {
  start: {
    operationId: ':StartVm',
    summary: 'Start a stopped VM',
    description: 'Without effect on a VM that is running already.',
  },
  stop: {
    operationId: ':StopVm',
    summary: 'Stop a running VM',
    description: 'The disks are kept. Without effect on a VM that is stopped already.',
  },
  reboot: {
    operationId: ':RebootVm',
    summary: 'Reboot a running VM',
    description: 'The status of the VM does not change.',
  },
} as const satisfies Record<Change, unknown>;

const changeOperation = (change: Change): Operation<UseCases> =>
  operationsOf<UseCases>(idsOf(vmKind))({
    ...changes[change],
    method: 'POST',
    path: `${resourcePath(vmKind)}:${change}`,
    query: NoQuery,
    status: 200,
    answered: 'The VM. EC2 accepted the request; the statuses are published on NATS.',
    answer: VmResource,
    problems: [
      'permission-denied',
      'not-found',
      'failed-precondition',
      'resource-exhausted',
      'upstream',
      'insufficient-capacity',
    ],
    run: ({ vm }, { resourceId: dcmId, requestId }) => vm.change(dcmId, change, requestId),
  });

export const vmOperations: readonly Operation<UseCases>[] = [
  ...collectionOperations(vms),
  changeOperation('start'),
  changeOperation('stop'),
  changeOperation('reboot'),
];

type VmPorts = LifecyclePorts<LaunchPlan, VmFacts> & {
  readonly instances: Pick<Instances, 'list' | 'describe'>;
  readonly actions: InstanceActions;
};

/** The use cases of VMs, by the operator's settings. */
export const vmUseCases = (
  ports: VmPorts & {
    readonly offerings: Offerings;
    readonly vcpuQuota: VcpuQuota;
    readonly provisioning: Provisioning;
  },
): VmUseCases => {
  const { account } = ports;
  const { regions, maximumVms, changeAdopted } = ports.provisioning;
  const livingVms = countLiving({
    ...{ records: ports.records, list: readVms(ports).list, isLiving: isLivingVm },
    ...{ targets: Object.keys(regions).map((region) => ({ region, account })), maximum: maximumVms },
  });
  const planning = { ...ports, livingVms };
  return {
    ...vmLifecycle({ ...ports, plan: planLaunch(planning), changeAdopted }),
    validate: validateVm(planning),
  };
};

/** Those that count towards `maximumVms`. */
export const isLivingVm = ({ instance_id: instanceId, status }: VmResource): boolean =>
  instanceId !== undefined && status !== 'DELETING' && status !== 'FAILED';

/** The use cases that read VMs. */
export const readVms = (ports: Pick<VmPorts, 'records' | 'resourceStore' | 'now' | 'log'>) =>
  readResources({ ...ports, type: { format: vmRecords, answerOf: vmResource } });

/** The use cases that create, read, change and delete VMs. */
export const vmLifecycle = (
  given: VmPorts & {
    readonly plan: Lifecycle<VmSpec, LaunchPlan, VmFacts, VmResource, Instance>['plan'];
    /** Whether instances that this provider did not launch may be changed. */
    readonly changeAdopted: boolean;
  },
): Omit<VmUseCases, 'validate'> => {
  const type = instanceLifecycle(given);
  const ports = { ...given, resources: given.instances, type };
  return {
    ...resourceUseCases(ports, type),
    change: changeVm({
      ...ports,
      isStillTheVm: checkResource(ports),
      refuseAdopted: refuseAdopted(vmKind, given.changeAdopted),
    }),
  };
};

const instanceLifecycle = ({
  plan,
  actions,
  now,
}: Pick<Parameters<typeof vmLifecycle>[0], 'plan' | 'actions' | 'now'>): Lifecycle<
  VmSpec,
  LaunchPlan,
  VmFacts,
  VmResource,
  Instance
> => ({
  format: vmRecords,
  service: 'EC2',
  plan,
  placements: ({ placements }) => placements.length,
  async run(planned, number, token) {
    const placement = planned.placements[number] ?? planned.placements[0];
    const { instanceId, account, zone, ...launched } = await actions.run(planned, placement, token);
    const { privateAddress, isWindows, platform, market, launchedAtMs } = launched;
    const facts = {
      ...{ zone: zone || undefined, privateAddress, isWindows, launchedAtMs },
      ...(platform !== undefined && { platform }),
      ...(market !== undefined && { market }),
    };
    return { resourceId: instanceId, account, facts };
  },
  factsSeen,
  addressesOf: ({ privateAddress, getsPublicAddress, isWindows, instanceType: size, ...facts }) => ({
    ...{ privateAddress, getsPublicAddress, isWindows, ...billedFactsOf({ ...facts, size }) },
  }),
  async terminate({ region, resourceId, facts }) {
    await actions.terminate(targetOfKey(region), resourceId).catch(ignoreEnded(resourceId, facts, now));
    return { state: 'shutting-down', at: listingTime(now()) };
  },
  answerOf: vmResource,
});

/**
 * EC2 knows no instance for some seconds after its launch: taken as terminated, it would run on unnoticed.
 * @see https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
 */
const ignoreEnded =
  (resourceId: string, { launchedAtMs }: VmFacts, now: Clock) =>
  (error: unknown): void => {
    if (!(error instanceof NotFoundError)) throw error;
    if (!isRecentlyLaunched(launchedAtMs, now())) return;
    const why = `EC2 does not know ${resourceId} yet, which was launched moments ago; retry the request`;
    throw new UnavailableError(why, { cause: error });
  };
