import type { SQSEvent } from 'aws-lambda';
import { type Parts, reportStatus } from '../functions/normaliser/normalise.ts';
import { readMessage } from '../functions/normaliser/read-message.ts';
import { provider } from '../local/stack/options.ts';
import { randomPart } from '../shared/adapters/random-part.ts';
import { partialBatch } from '../shared/runtime/partial-batch.ts';
import { countingMeter, memoryLog } from '../test/fakes/silent.ts';
import { region, tagKeys } from './workload.ts';

/**
 * The normaliser as its handler wires it, with a log and a meter that write nothing.
 * @returns a function that hands it batches one after the other, as Lambda does. It rejects where a message is not done at once.
 */
export const quietNormaliser = (ports: Pick<Parts, 'resourceStore' | 'publisher' | 'types' | 'bus'>) => {
  const log = memoryLog();
  const later = {
    observations: { send: async () => undefined },
    listings: { requestRepublication: async () => undefined },
  };
  const telemetry = { now: Date.now, log, meter: countingMeter() };
  const retries = { postpone: async () => undefined, deadLetter: async () => undefined };
  const handler = partialBatch({
    ...{ log, meter: telemetry.meter },
    read: readMessage({ regions: [region], provider, tagKeys, ...telemetry }),
    handle: reportStatus({ ...ports, ...later, ...telemetry, retries, randomPart, provider, tagKeys }),
    retries,
  });
  return async (batches: readonly SQSEvent[]): Promise<void> => {
    for (const batch of batches) {
      const { batchItemFailures } = await handler(batch);
      if (batchItemFailures.length > 0) throw new Error(`Messages were not done: ${log.lines.join(', ')}`);
    }
  };
};
