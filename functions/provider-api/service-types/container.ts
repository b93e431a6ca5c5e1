import { UnavailableError } from '../../../shared/core/errors.ts';
import type { StartingAs } from '../../../shared/core/kind.ts';
import { billedFactsOf } from '../../../shared/core/outputs.ts';
import { isRecentlyLaunched } from '../../../shared/core/ownership.ts';
import { targetOfKey } from '../../../shared/core/target.ts';
import type { Operation } from '../../../shared/http/operation.ts';
import { containerKind } from '../../../shared/service-types/container/kind.ts';
import type { LaunchPlan } from '../../../shared/service-types/container/launch.ts';
import { draftLaunch, planLaunch } from '../../../shared/service-types/container/plan/plan-launch.ts';
import type { Task, TaskActions, Tasks } from '../../../shared/service-types/container/ports.ts';
import type { ContainerProvisioning } from '../../../shared/service-types/container/provisioning.ts';
import {
  type ContainerFacts,
  containerRecords,
  factsSeen,
} from '../../../shared/service-types/container/record.ts';
import {
  ContainerEvents,
  ContainerPage,
  ContainerResource,
  ContainerValidation,
  containerResource,
  sizeOf,
} from '../../../shared/service-types/container/resource.ts';
import { type ContainerSpec, containerSpecOf } from '../../../shared/service-types/container/spec.ts';
import type { Lifecycle } from '../lifecycle.ts';
import { type Collection, collectionOperations } from '../operations/collection.ts';
import { countLiving, readResources } from '../read-resources.ts';
import {
  type CollectionUseCases,
  type LifecyclePorts,
  resourceUseCases,
  type UseCases,
} from '../use-cases.ts';

/** The use cases of containers. */
export type ContainerUseCases = CollectionUseCases<ContainerSpec, ContainerResource, ContainerValidation>;

const containers: Collection<ContainerSpec, ContainerResource, ContainerValidation> = {
  kind: containerKind,
  service: 'ECS',
  specOf: containerSpecOf,
  answers: {
    resource: ContainerResource,
    page: ContainerPage,
    events: ContainerEvents,
    validation: ContainerValidation,
  },
  texts: {
    deletes:
      'Stops the task. A container that is SUCCEEDED or FAILED exists until it is deleted, and is then DELETED at once.',
    validates: 'Chooses the size of the task and its placement as a create would. ECS is not asked.',
  },
  useCasesOf: ({ container }) => container,
};

export const containerOperations: readonly Operation<UseCases>[] = collectionOperations(containers);

type ContainerPorts = LifecyclePorts<LaunchPlan, ContainerFacts> & {
  readonly tasks: Pick<Tasks, 'list' | 'describe'>;
  readonly actions: TaskActions;
  readonly provisioning: ContainerProvisioning;
  readonly startingAs: StartingAs;
};

/** The use cases of containers, by the operator's settings. */
export const containerUseCases = (given: ContainerPorts): ContainerUseCases => {
  const { account, provisioning, records } = given;
  const answerOf = containerResource(given);
  const living = countLiving({
    ...{ records, isLiving: isLivingContainer },
    list: readResources({ ...given, type: { format: containerRecords, answerOf } }).list,
    targets: Object.keys(provisioning.regions).map((region) => ({ region, account })),
    maximum: provisioning.maximumContainers,
  });
  const planning = { ...given, livingContainers: living };
  const type = { ...taskLifecycle(given), plan: planLaunch(planning), answerOf };
  const { changeAdopted } = provisioning;
  return {
    ...resourceUseCases({ ...given, resources: given.tasks, changeAdopted }, type),
    validate: validateContainer(planning),
  };
};

/** Those that count towards `maximumContainers`: one that has ended uses nothing. */
const isLivingContainer = ({ task_arn: taskArn, status }: ContainerResource): boolean =>
  taskArn !== undefined && !['DELETING', 'SUCCEEDED', 'FAILED'].includes(status);

const taskLifecycle = ({
  actions,
  now,
}: Pick<ContainerPorts, 'actions' | 'now'>): Omit<
  Lifecycle<ContainerSpec, LaunchPlan, ContainerFacts, ContainerResource, Task>,
  'plan' | 'answerOf'
> => ({
  format: containerRecords,
  service: 'ECS',
  placements: ({ placements }) => placements.length,
  async run(planned, number, token) {
    const placement = planned.placements[number] ?? planned.placements[0];
    const task = await actions.run(planned, placement, token);
    return { resourceId: task.resourceId, account: task.account, facts: factsSeen(task) };
  },
  searchesFirst: true, // ECS forgets client tokens after 24 hours
  factsSeen,
  addressesOf: ({ privateAddress, getsPublicAddress, ports, zone, size }) => ({
    ...{ privateAddress, getsPublicAddress, ports },
    ...billedFactsOf({ zone, size: size && `${size.vcpus * 1024}/${size.memoryMib}` }),
  }),
  async terminate({ region, resourceId, facts }) {
    const task = await actions.stop(targetOfKey(region), resourceId);
    if (task) return { state: task.state, at: task.stateTimes?.at(-1)?.at ?? Math.floor(now() / 1000) };
    if (isRecentlyLaunched(facts.launchedAtMs, now()))
      throw new UnavailableError(
        `ECS does not know ${resourceId} yet, which was launched moments ago; retry the request`,
      );
    return { state: 'DELETED', at: Math.floor(now() / 1000) };
  },
  staysEnded: ({ state }) => state === 'STOPPED',
});

/** Checks a create without launching anything. @throws what a create would be refused with before ECS is asked. */
const validateContainer = (parts: Parameters<typeof draftLaunch>[0]): ContainerUseCases['validate'] => {
  const draft = draftLaunch(parts);
  return async (spec, { region, account, requestId }) => {
    const asked = { dcmId: 'validation', region, account, requestId };
    const { definition, plan } = await draft(spec, asked);
    const [{ launch, subnets }] = plan.placements;
    return {
      region,
      image: spec.image,
      size: sizeOf(plan.size),
      launch,
      subnet_ids: subnets,
      task_definition: definition.family,
    };
  };
};
