import { sequenceOf } from '../../shared/domain/gate.ts';
import { rank } from '../../shared/domain/instance.ts';
import type { Observation, Signal } from '../../shared/domain/signal.ts';
import type { Tags } from '../../shared/domain/tags.ts';

/** A message of the observations queue, read. */
export type Message = {
  readonly messageId: string;
  /** 1 at the first delivery. */
  readonly receiveCount: number;
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

/** The tags that an instance had after the newest tag change in the batch. */
export const newestTags = ({ signals }: Lane): Tags | undefined =>
  signals.findLast((signal) => signal.kind === 'tag-change')?.tags;

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

export const isTerminated = ({ signals }: Lane): boolean =>
  signals.some((signal) => signal.kind === 'observation' && signal.state === 'terminated');
