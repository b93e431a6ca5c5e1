import { EC2Client } from '@aws-sdk/client-ec2';
import type { Console } from '../console.ts';
import { provider, type StackOptions, silentRegion } from '../options.ts';
import { clientConfig } from '../parts/client-config.ts';
import type { Consumed } from '../parts/control-plane/history.ts';
import { startStack } from '../stack.ts';
import { type Actor, cast } from './cast.ts';
import { story } from './story.ts';
import { faultsIn, pair, type Transition } from './verdict.ts';

/** Short, so that the story is: EC2 takes about ten times as long. */
const dwellMs = { pending: [700, 1_100], stopping: [700, 1_100], 'shutting-down': [500, 900] } as const;

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
  if (simulator === undefined) throw new Error('the demo plays EC2 itself: leave --ec2-endpoint out');
  show.ready(endpoints);

  const actors: Actor[] = [];
  const ec2 = new EC2Client(clientConfig(endpoints.ec2Url));
  const silentEc2 = new EC2Client(clientConfig(endpoints.ec2Url, silentRegion));
  const enter = (actor: Actor) => void actors.push(actor);
  const [actions, silentActions] = [cast(ec2, enter), cast(silentEc2, enter)];
  controlPlane.onApplied((consumed) => show.followed(consumed, asSeen(consumed, actors, transitions)));
  await story({ actions, silentActions, simulator, controlPlane, provider, say: show.scene });
  ec2.destroy();
  silentEc2.destroy();

  return judge(actors, transitions, controlPlane.history(), show);
};

const asSeen = (
  { id = '', appliedAtMs, message = '', eventId = '' }: Consumed,
  actors: readonly Actor[],
  transitions: readonly Transition[],
) => {
  const actor = actors.find(({ vmId }) => vmId === id);
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
  const vms = actors.filter(({ vmId }) => vmId !== undefined);
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
