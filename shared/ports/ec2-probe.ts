/**
 * Whether EC2 answers in a region, and lets us see instances there. Resolves where it does, for a few seconds at most of waiting.
 * @throws UnavailableError that says what is wrong, in words that anybody may read.
 */
export type Ec2Probe = (region: string) => Promise<void>;
