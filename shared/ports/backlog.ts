/**
 * How many seconds messages wait for the normaliser, by a sample; 0 where none do.
 * @throws UnavailableError where the queue does not answer.
 */
export type Backlog = () => Promise<number>;
