import type { Session } from './session.ts';

/** An option that a check needs. Credentials in the provider's URL count as `--token`. */
export type Need =
  | '--registry-port'
  | '--registry-token'
  | '--nats'
  | '--agent-topic'
  | '--token'
  | '--restart-nats'
  | '--stop-outside'
  | '--control-plane';

/** A check of one behaviour that DCM relies on. */
export type Check = {
  /** Group letter and number; never changes. */
  readonly id: string;
  /** What a conforming provider does. */
  readonly sentence: string;
  /** Where DCM, or a test of DCM, relies on it: repository and file. */
  readonly source: string;
  /** Set where only the older DCM, whose control plane calls providers itself, relies on it. */
  readonly caller?: 'old control plane';
  /** In addition to what the group needs. */
  readonly needs?: Need;
  /** Resolves where the provider conforms. @throws NotConforming, Skipped, or any other error that prevents the check. */
  readonly run: (session: Session) => Promise<void>;
};

export type Group = {
  readonly title: string;
  /** What all checks of the group need besides the provider's URL. */
  readonly needs?: Need;
  /** Set where only providers of one service type are checked. */
  readonly serviceType?: string;
  readonly checks: readonly Check[];
};

/** A check's sentence, with the generation of DCM where it is not today's. */
export const describeCheck = ({ sentence, caller }: Pick<Check, 'sentence' | 'caller'>): string =>
  caller ? `${sentence} (${caller})` : sentence;
