import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { EC2Client } from '@aws-sdk/client-ec2';
import { reasonOf, SettingsError } from '../../shared/core/errors.ts';
import { type Console, newsOf } from '../console.ts';
import { clientConfig } from '../emulators/client-config.ts';
import type { Consumed } from '../emulators/dcm/status-history.ts';
import type { Ec2Simulator } from '../emulators/ec2/start-ec2-simulator.ts';
import { provider, type StackOptions, silentRegion } from '../stack/options.ts';
import { type Endpoints, startStack } from '../stack/start-stack.ts';
import { faultsIn, pair, type Transition } from './check-statuses.ts';
import { controlPlaneClient, type DcmUser, dcmUser, olderDcmUser } from './dcm-user.ts';
import { dcmStory } from './dcm-vm-scenario.ts';
import { type Actor, cast } from './ec2-actions.ts';
import { story } from './instances-scenario.ts';
import { providerApiClient } from './provider-api-client.ts';

/** Shorter than EC2's, so that the story is short, and longer than the provider needs to report a state before the next one. */
const dwellMs = {
  pending: [2_000, 2_500],
  stopping: [1_500, 2_000],
  'shutting-down': [1_500, 2_000],
} as const;

const timeoutMs = 20_000;

/** Plays the story on a stack of its own, shows each transition as it reaches DCM, and checks them all. Answers what went wrong. */
export const demo = async (options: StackOptions, show: Console): Promise<string[]> => {
  const transitions: Transition[] = [];
  await using stack = await startStack({
    ...options,
    dwellMs,
    pollFloorSeconds: 1, // as short as the story; a deployment has 10 or more
    onTransition: (transition) => void transitions.push(transition),
  });
  const { ec2: simulator, controlPlane, endpoints } = stack;
  if (simulator === undefined || controlPlane === undefined)
    throw new SettingsError('the demo plays EC2 itself: leave --ec2-endpoint out');
  show.ready(endpoints);

  const actors: Actor[] = [];
  const createdByDcm = { name: 'dcm-1', dcmId: String(randomUUID()) };
  const isNewerObservation = newsOf();
  const ec2 = new EC2Client(clientConfig(endpoints.ec2Url));
  const silentEc2 = new EC2Client(clientConfig(endpoints.ec2Url, silentRegion));
  const enter = (actor: Actor) => void actors.push(actor);
  const [actions, silentActions] = [cast(ec2, enter), cast(silentEc2, enter)];
  controlPlane.onConsumed((consumed) => {
    if (isNewerObservation(consumed))
      show.followed(consumed, asSeen(consumed, [...actors, createdByDcm], transitions));
  });
  const say = show.scene;
  await Promise.all([
    story({ actions, silentActions, simulator, controlPlane, provider, say }),
    dcmStory({
      dcm: userOf(endpoints, createdByDcm.dcmId),
      providerApi: providerApiClient(endpoints),
      say,
      named: (dcmId) => {
        createdByDcm.dcmId = dcmId;
      },
      enter: (vm) => enter({ ...vm, seenBy: 'events' }),
    }),
  ]);
  await untilTold(
    () => hasEnded(simulator) && faultsIn(actors, transitions, controlPlane.history()).length === 0,
  );
  ec2.destroy();
  silentEc2.destroy();

  return judge(actors, transitions, controlPlane.history(), show);
};

/** The older DCM's user gives the VM its id; today's is given one. */
const userOf = ({ controlPlaneUrl, agentUrl }: Endpoints, dcmId: string): DcmUser =>
  agentUrl === undefined
    ? olderDcmUser(controlPlaneClient(controlPlaneUrl), provider, dcmId)
    : dcmUser({ controlPlaneUrl, agentUrl, provider });

/** The VM that DCM had deleted has no row any more that would tell when it is terminated, and that DCM was told. */
const untilTold = async (isPublished: () => boolean): Promise<void> => {
  const deadline = Date.now() + timeoutMs;
  while (!isPublished() && Date.now() < deadline) await sleep(50);
  await sleep(1_000); // for what should not come any more
};

const hasEnded = (simulator: Ec2Simulator): boolean =>
  simulator.instances().every(({ state }) => state === 'terminated');

const asSeen = (
  { id = '', appliedAtMs, message = '', eventId = '' }: Consumed,
  actors: readonly Partial<Pick<Actor, 'name' | 'dcmId' | 'instanceId'>>[],
  transitions: readonly Transition[],
) => {
  const actor = actors.find(({ dcmId }) => dcmId === id);
  const isNotice = !/:\d$/.test(eventId);
  const cause = transitions.findLast(
    ({ instanceId, state }) => instanceId === actor?.instanceId && message.includes(` is ${state}`),
  );
  return { ...(actor && { name: actor.name }), ...(cause && !isNotice && { ms: appliedAtMs - cause.atMs }) };
};

const judge = (
  actors: readonly Actor[],
  transitions: readonly Transition[],
  history: readonly Consumed[],
  show: Console,
): string[] => {
  const faults = faultsIn(actors, transitions, history);
  const vms = actors.filter(({ dcmId }) => dcmId !== undefined);
  const told = vms.flatMap((vm) => pair(vm, transitions, history).told);
  const streamed = told.filter(({ actor }) => actor.seenBy === 'events');
  const ms = streamed.map((one) => one.ms).sort((a, b) => a - b);
  const at = (share: number) => ms[Math.min(ms.length - 1, Math.floor(ms.length * share))];
  show.line();
  for (const fault of faults) show.bad(fault);
  if (faults.length > 0) return faults;
  show.good(`${told.length} transitions of ${vms.length} VMs reached DCM's rows, each once and in order`);
  show.good(`${actors.length - vms.length} instances that are not ours were not reported`);
  show.good(`of a region without events, and of lost ones, listings told what was to be told`);
  show.good(`from EC2's change to DCM's row, by events: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`);
  return faults;
};

const longestMs = 120_000;

/** Plays one VM's life against a DCM that is not the stand-in, and checks DCM's rows on the way. Answers what went wrong. */
export const dcmDemo = async (options: StackOptions, show: Console): Promise<string[]> => {
  await using stack = await startStack({ ...options, dwellMs });
  show.ready(stack.endpoints);
  const stage = {
    dcm: olderDcmUser(controlPlaneClient(stack.endpoints.controlPlaneUrl), provider),
    providerApi: providerApiClient(stack.endpoints),
    say: show.scene,
  };
  const ending = new AbortController();
  const tooLong = sleep(longestMs, `the story took more than ${longestMs / 1000} s`, {
    signal: ending.signal,
  });
  const played = dcmStory(stage).then(() => undefined, reasonOf);
  const fault = await Promise.race([played, tooLong]);
  ending.abort();
  await tooLong.catch(() => {});
  show.line();
  if (fault !== undefined) show.bad(fault);
  else show.good("DCM's own rows followed the VM from its creation to its end");
  return fault === undefined ? [] : [fault];
};
