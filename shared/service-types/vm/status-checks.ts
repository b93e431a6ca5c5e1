/** What EC2 checks every minute of a running instance, in the order of our questions. */
export const statusChecks = ['instance', 'system', 'attached-ebs'] as const;
export type StatusCheck = (typeof statusChecks)[number];

/** How EC2's documentation calls each check: its own software and network, the host under it, the disks attached to it. */
export const checkNames = {
  instance: 'instance',
  system: 'system',
  'attached-ebs': 'attached EBS',
} as const satisfies Record<StatusCheck, string>;

/** What the status checks of a region's VMs were last found to be. */
export type StatusChecks = {
  /** Milliseconds since 1970; 0: never. */
  readonly askedAtMs: number;
  /** What was asked about then. */
  readonly asked: StatusCheck;
  /** Our VMs that fail a check. */
  readonly failing: Readonly<Record<StatusCheck, readonly string[]>>;
};

export const noStatusChecks: StatusChecks = {
  askedAtMs: 0,
  asked: 'attached-ebs',
  failing: { instance: [], system: [], 'attached-ebs': [] },
};

const minimumMs = 60_000;

/**
 * What to ask about next; undefined: the last question is not a minute old. One at a time and in turns: EC2 takes all filters of a
 * question together, so that it cannot be asked for those that fail one check or the other.
 */
export const nextCheck = ({ askedAtMs, asked }: StatusChecks, nowMs: number): StatusCheck | undefined => {
  if (nowMs - askedAtMs < minimumMs) return undefined;
  return statusChecks[(statusChecks.indexOf(asked) + 1) % statusChecks.length];
};
