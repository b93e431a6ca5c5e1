import type { Session } from './session.ts';

/** An option without which a check cannot be made. Credentials in the provider's URL count as `--token`. */
export type Need = '--registry-port' | '--registry-token' | '--nats' | '--agent-topic' | '--token';

/** One thing that DCM relies on, which a provider does or does not. */
export type Check = {
  /** Group letter and number; stays the same for good. */
  readonly id: string;
  /** What a conforming provider does. */
  readonly sentence: string;
  /** Where DCM, or a test of DCM, relies on it: repository and file. */
  readonly source: string;
  /** Set where only the generation of DCM relies on it whose control plane called providers itself. */
  readonly caller?: 'old control plane';
  /** In addition to what the group needs. */
  readonly needs?: Need;
  /** Resolves where the provider conforms. @throws NotConforming, Skipped, or whatever keeps the check from being made. */
  readonly run: (session: Session) => Promise<void>;
};

export type Group = {
  readonly title: string;
  /** What it takes to make these checks; made with nothing but the provider's URL where it is left out. */
  readonly needs?: Need;
  readonly checks: readonly Check[];
};

/** A check's sentence, and which generation of DCM it is about where that is not today's. */
export const describeCheck = ({ sentence, caller }: Pick<Check, 'sentence' | 'caller'>): string =>
  caller ? `${sentence} (${caller})` : sentence;
