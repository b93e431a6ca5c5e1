import type { Observations } from '../../ports/observations.ts';

/**
 * The observations queue for a function that seldom sends a message, and only at the end of its work: the SQS client is loaded at the
 * first use, because it would be half of the code that a cold start loads.
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
