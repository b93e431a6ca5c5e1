import type { Observations } from '../../ports/observations.ts';

/**
 * The observations queue for a function that seldom sends anything, and never before its real work is done: the SQS client is loaded at
 * the first use, for it would be half of what a cold start loads.
 */
export const deferredObservations = (queueUrl: string): Observations => {
  let loaded: Promise<Observations> | undefined;
  const load = async () => {
    const [{ SQSClient }, { sqsObservations }] = await Promise.all([
      import('@aws-sdk/client-sqs'),
      import('./observations.ts'),
    ]);
    return sqsObservations(new SQSClient(), queueUrl);
  };

  return {
    async send(events, afterSeconds) {
      if (events.length === 0) return;
      loaded ??= load();
      await (await loaded).send(events, afterSeconds);
    },
  };
};
