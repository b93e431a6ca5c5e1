/**
 * How many seconds a message waits for the normaliser, by a sample; 0 where none does.
 * @throws UnavailableError where the queue or what is known of it does not answer.
 */
export type Backlog = () => Promise<number>;
