/** Something that runs on the laptop in the place of a service: where it answers, and how to end it. */
export type Part = AsyncDisposable & {
  /** On 127.0.0.1, without a trailing slash. */
  readonly url: string;
};
