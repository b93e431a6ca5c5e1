import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf, SettingsError } from '../../shared/core/errors.ts';
import { providerName } from '../../shared/core/provider-name.ts';
import { type Console, newStatusFilter } from '../console.ts';
import { clientConfig } from '../emulators/client-config.ts';
import type { Consumed } from '../emulators/dcm/status-history.ts';
import type { Ec2Simulator } from '../emulators/ec2/start-ec2-simulator.ts';
import { homeRegion, prod, provider, type StackOptions, silentRegion } from '../stack/options.ts';
import { type Endpoints, startStack } from '../stack/start-stack.ts';
import {
  type DemoResource,
  matchEvents,
  type Observed,
  statusErrors,
  type Transition,
} from './check-statuses.ts';
import { runClusterScenario, runContainersScenario } from './dcm-scenarios.ts';
import { controlPlaneClient, type DcmUser, dcmUser, olderDcmUser } from './dcm-user.ts';
import { runDcmVmScenario, runOtherAccountScenario } from './dcm-vm-scenario.ts';
import { type DemoInstance, ec2Actions } from './ec2-actions.ts';
import { runInstancesScenario } from './instances-scenario.ts';
import { runInventoryScenario } from './inventory-scenario.ts';
import { providerApiClient } from './provider-api-client.ts';

/** Shorter than EC2's, so that the demo is short, and longer than the provider needs to report a state before the next one. */
const dwellMs = {
  pending: [3_000, 3_500],
  stopping: [1_500, 2_000],
  'shutting-down': [1_500, 2_000],
} as const;

const readyTimeoutMs = 60_000;
const lastStatusesTimeoutMs = 20_000;

/**
 * Runs all scenarios at the same time on a stack of its own, prints each status as it reaches DCM, and checks all of them.
 * @returns the errors, each as a sentence
 */
export const demo = async (options: StackOptions, show: Console): Promise<string[]> => {
  const { EC2 } = await import('@aws-sdk/client-ec2'); // half a second, which npm start without --demo need not wait for
  const transitions: Transition[] = [];
  await using stack = await startStack({
    ...options,
    accounts: true,
    dwellMs,
    pollFloorSeconds: 1, // a deployment has 10 or more
    onTransition: (transition) => void transitions.push(transition),
  });
  const { ec2: simulator, controlPlane, endpoints } = stack;
  if (simulator === undefined || controlPlane === undefined)
    throw new SettingsError('the demo needs the EC2 simulator: leave --ec2-endpoint out');
  show.ready(endpoints);

  const instances: DemoInstance[] = [];
  const createdByDcm = new Map<string, { readonly name: string; readonly dcmId: string }>();
  const resources = new Map<string, DemoResource>();
  const isNewStatus = newStatusFilter();
  const ec2 = new EC2(clientConfig(endpoints.ec2Url));
  const silentEc2 = new EC2(clientConfig(endpoints.ec2Url, silentRegion));
  const onLaunched = (instance: DemoInstance) => void instances.push(instance);
  const [actions, silentActions] = [ec2Actions(ec2, onLaunched), ec2Actions(silentEc2, onLaunched)];
  controlPlane.onConsumed((consumed) => {
    if (isNewStatus(consumed))
      show.status(
        consumed,
        nameAndLatency(
          consumed,
          [...instances, ...createdByDcm.values(), ...resources.values()],
          transitions,
        ),
      );
  });
  const print = show.step;
  const dcm = userOf(endpoints);
  const vmOf = (name: string) => ({
    print,
    onCreated: (dcmId: string) => void createdByDcm.set(name, { name, dcmId }),
    onLaunched: (vm: Omit<DemoInstance, 'reportedBy'>) => onLaunched({ ...vm, reportedBy: 'events' }),
  });
  const following = {
    ...{ dcm, print, reaches: controlPlane.waitFor },
    onCreated: (resource: DemoResource) => void resources.set(resource.name, resource),
  };
  await dcm.isReady('vm', readyTimeoutMs); // its health check has invoked the functions, so none of the first states waits for their cold start
  await Promise.all([
    runContainersScenario(following),
    runClusterScenario(following),
    runInstancesScenario({ actions, silentActions, simulator, controlPlane, provider, print }),
    runDcmVmScenario({ dcm, providerApi: providerApiClient(endpoints), ...vmOf('dcm-1') }),
    runOtherAccountScenario({ ...usersOfProd(endpoints), ...vmOf('prod-1') }),
    runInventoryScenario({ endpoints, region: homeRegion({}), print }),
  ]);
  const observed = () => ({
    instances,
    transitions,
    history: controlPlane.history(),
    resources: [...resources.values()],
  });
  const errors = () => statusErrors(observed());
  await waitForLastStatuses(() => isEveryInstanceTerminated(simulator) && errors().length === 0);
  ec2.destroy();
  silentEc2.destroy();

  return printResult(observed(), show);
};

const userOf = ({ controlPlaneUrl, agentUrl }: Endpoints): DcmUser =>
  agentUrl === undefined
    ? olderDcmUser(controlPlaneClient(controlPlaneUrl), provider)
    : dcmUser({ controlPlaneUrl, agentUrl, provider });

/** A user of DCM who has VMs created in the other account, and one of the provider's API there. */
const usersOfProd = (endpoints: Endpoints) => {
  const {
    controlPlaneUrl,
    prodAgentUrl: agentUrl,
    prodProviderApiUrl = '',
    prodProviderApiToken = '',
  } = endpoints;
  const ofProd = providerName(
    { name: provider, homeRegion: homeRegion({}) },
    { region: homeRegion({}), account: prod.id, alias: prod.alias },
  );
  return {
    dcm:
      agentUrl === undefined
        ? olderDcmUser(controlPlaneClient(controlPlaneUrl), ofProd)
        : dcmUser({ controlPlaneUrl, agentUrl, provider: ofProd, alias: prod.alias }),
    providerApi: providerApiClient({
      providerApiUrl: prodProviderApiUrl,
      providerApiToken: prodProviderApiToken,
    }),
  };
};

/** Polls, because the VM that was deleted through DCM has no row whose status could be awaited. */
const waitForLastStatuses = async (isComplete: () => boolean): Promise<void> => {
  const deadline = Date.now() + lastStatusesTimeoutMs;
  while (!isComplete() && Date.now() < deadline) await sleep(50);
  await sleep(1_000); // a duplicate or a wrong status could still arrive
};

const isEveryInstanceTerminated = (simulator: Ec2Simulator): boolean =>
  simulator.instances().every(({ state }) => state === 'terminated');

const nameAndLatency = (
  { id = '', appliedAtMs, message = '', eventId = '' }: Consumed,
  instances: readonly Partial<Pick<DemoInstance, 'name' | 'dcmId' | 'instanceId'>>[],
  transitions: readonly Transition[],
) => {
  const instance = instances.find(({ dcmId }) => dcmId === id);
  const isNotice = !/:\d$/.test(eventId);
  const cause = transitions.findLast(
    ({ instanceId, state }) => instanceId === instance?.instanceId && message.includes(` is ${state}`),
  );
  return {
    ...(instance && { name: instance.name }),
    ...(cause && !isNotice && { ms: appliedAtMs - cause.atMs }),
  };
};

const printResult = (observed: Observed, show: Console): string[] => {
  const { instances, transitions, history, resources } = observed;
  const errors = statusErrors(observed);
  const vms = instances.filter(({ dcmId }) => dcmId !== undefined);
  const reported = vms.flatMap((vm) => matchEvents(vm, transitions, history).reported);
  const byEvents = reported.filter(({ instance }) => instance.reportedBy === 'events');
  const ms = byEvents.map((one) => one.ms).sort((a, b) => a - b);
  const percentile = (share: number) => ms[Math.min(ms.length - 1, Math.floor(ms.length * share))];
  show.line();
  for (const error of errors) show.bad(error);
  if (errors.length > 0) return errors;
  show.good(`${reported.length} transitions of ${vms.length} VMs reached DCM's rows, each once and in order`);
  const [clusters, containers] = [resources.filter(isCluster), resources.filter((one) => !isCluster(one))];
  show.good(
    `the statuses of ${containers.length} containers and ${clusters.length} cluster reached DCM's rows, each once and in order`,
  );
  show.good(`${instances.length - vms.length} instances that are not ours were not reported`);
  show.good("the inventory showed DCM's VMs, and the instances that are not ours");
  show.good('listings reported what events did not: changes in a region without events, and lost events');
  show.good(
    `from EC2's change to DCM's row, by events: p50 ${percentile(0.5)} ms, p99 ${percentile(0.99)} ms`,
  );
  return errors;
};

const isCluster = ({ statuses }: DemoResource): boolean => statuses.includes('active');

const dcmDemoTimeoutMs = 120_000;

/**
 * Runs the scenarios of DCM's users against a DCM that is not our emulator, and checks DCM's rows on the way.
 * @returns the error, if there is one
 */
export const dcmDemo = async (options: StackOptions, show: Console): Promise<string[]> => {
  await using stack = await startStack({ ...options, accounts: true, dwellMs });
  show.ready(stack.endpoints);
  const dcm = olderDcmUser(controlPlaneClient(stack.endpoints.controlPlaneUrl), provider);
  const context = { dcm, reaches: dcm.reaches, print: show.step };
  const ending = new AbortController();
  const timeout = sleep(dcmDemoTimeoutMs, `the demo took more than ${dcmDemoTimeoutMs / 1000} s`, {
    signal: ending.signal,
  });
  const scenarios = Promise.all([
    runDcmVmScenario({ ...context, providerApi: providerApiClient(stack.endpoints) }),
    runOtherAccountScenario({ ...usersOfProd(stack.endpoints), print: show.step }),
    runContainersScenario(context),
    runClusterScenario(context),
  ]).then(() => undefined, reasonOf);
  const error = await Promise.race([scenarios, timeout]);
  ending.abort();
  await timeout.catch(() => {});
  show.line();
  if (error !== undefined) show.bad(error);
  else
    show.good(
      "DCM's own rows followed the VMs, the containers and the cluster from their creation to their end",
    );
  return error === undefined ? [] : [error];
};
