import { checkedState } from '../../shared/core/follow-up.ts';
import { sequenceOf } from '../../shared/core/gate.ts';
import type { CheckWanted, Observation, Signal, TagChange } from '../../shared/core/message.ts';
import type { Vm } from '../../shared/core/resource.ts';
import { rank } from '../../shared/service-types/vm/kind.ts';

/** A message of the observations queue, read. */
export type Message = {
  readonly messageId: string;
  /** It was handled before, and what it began may not have been finished. */
  readonly isRetry: boolean;
  readonly signals: readonly Signal[];
};

/** Everything that one batch tells about one instance, oldest first. */
export type Lane = {
  readonly instanceId: string;
  readonly region: string;
  readonly account: string;
  readonly signals: readonly Signal[];
  readonly messages: readonly Message[];
};

/** Sorts a batch by instance: what is about one instance must be told in order, instances do not wait for each other. */
export const lanesOf = (messages: readonly Message[]): Lane[] => {
  const lanes = new Map<string, { signals: Signal[]; messages: Set<Message> }>();
  for (const message of messages) {
    for (const signal of message.signals) {
      const lane = lanes.get(signal.instanceId) ?? { signals: [], messages: new Set() };
      lanes.set(signal.instanceId, lane);
      lane.signals.push(signal);
      lane.messages.add(message);
    }
  }
  return [...lanes].map(([instanceId, lane]) => ({
    instanceId,
    region: lane.signals[0]?.region ?? '',
    account: lane.signals[0]?.account ?? '',
    signals: lane.signals.sort(oldestFirst),
    messages: [...lane.messages],
  }));
};

/** The newest tag change in the batch. */
export const newestTagChange = ({ signals }: Lane): TagChange | undefined =>
  signals.findLast((signal) => signal.kind === 'tag-change');

/** Without the states that another one of the same second supersedes: nobody could have acted on them. */
export const withoutSuperseded = (signals: readonly Signal[]): Signal[] =>
  signals.filter(
    (signal) => signal.kind !== 'observation' || !signals.some((other) => supersedes(other, signal)),
  );

const supersedes = (other: Signal, one: Observation): boolean =>
  other.kind === 'observation' && other.at === one.at && rank[other.state] > rank[one.state];

/** Notices of the same second go after the state they are about. */
const oldestFirst = (a: Signal, b: Signal): number => order(a) - order(b);

const order = (signal: Signal): number =>
  signal.kind === 'observation' ? sequenceOf(signal) : sequenceOf({ at: signal.at, state: 'terminated' });

export const hasObservation = ({ signals }: Lane): boolean =>
  signals.some(({ kind }) => kind === 'observation');

export const hasClaimCheck = ({ signals }: Lane): boolean =>
  signals.some(({ kind }) => kind === 'claim-check');

export const isTerminated = ({ signals }: Lane): boolean =>
  signals.some((signal) => signal.kind === 'observation' && signal.state === 'terminated');

/** Part of it is here again. */
export const isRetried = ({ messages }: Lane): boolean => messages.some(({ isRetry }) => isRetry);

/** Up to which key what was held back has had the time to settle. */
export const settledKey = ({ signals }: Lane): string | undefined =>
  signals
    .flatMap((signal) => (signal.kind === 'status-settled' ? [signal.key] : []))
    .sort()
    .at(-1);

/** The check of the state that the VM is in. */
export const checkIn = ({ signals }: Lane, vm: Vm): CheckWanted | undefined => {
  const key = checkedState(vm);
  return signals.find(
    (signal): signal is CheckWanted => signal.kind === 'check-wanted' && signal.key === key,
  );
};

/** A start that fell back to `stopped`, of which no signal says why: EC2 goes through `stopping` only where somebody stops the instance. */
export const hasUnexplainedFallback = ({ signals }: Lane, vm: Vm | undefined): boolean => {
  let before = vm?.state;
  for (const signal of signals) {
    if (signal.kind !== 'observation') continue;
    if (before === 'pending' && signal.state === 'stopped' && !signal.reason) return true;
    before = signal.state;
  }
  return false;
};
