import type { Session } from './session.ts';

/** One thing that DCM relies on, which a provider does or does not. */
export type Check = {
  /** Group letter and number; stays the same for good. */
  readonly id: string;
  /** What a conforming provider does. */
  readonly sentence: string;
  /** Where DCM, or a test of DCM, relies on it: repository and file. */
  readonly source: string;
  /** Resolves where the provider conforms. @throws NotConforming, Skipped, or whatever keeps the check from being made. */
  readonly run: (session: Session) => Promise<void>;
};

export type Group = {
  readonly title: string;
  /** What it takes to make these checks; made with nothing but the provider's URL where it is left out. */
  readonly needs?: string;
  readonly checks: readonly Check[];
};
