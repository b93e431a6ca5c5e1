/** Structured log lines: a sentence that is the same each time, and the fields that differ. */
export type Log = Record<
  'info' | 'warn' | 'error',
  (message: string, fields?: Readonly<Record<string, unknown>>) => void
>;
