import { describe, expect, it } from 'vitest';
import { ThrottledError } from '../../../shared/core/errors.ts';
import type { ResourceMessage } from '../../../shared/core/message.ts';
import { clusterKind } from '../../../shared/service-types/cluster/kind.ts';
import { halfPastTen } from '../../fixtures/resource-messages.ts';
import { awsAccount } from './account.ts';

const resourceId = 'eks/us-east-1/c-1';
const place = { region: 'us-east-1', account: '123456789012' };
const failed = 'the update VersionUpdate has failed: Ec2SubnetNotFound: it is gone';

/** A cluster that was ACTIVE at half past ten, and whose newest update ended so; `throws`: EKS does not answer the next questions. */
const world = async (outcome?: string) => {
  const account = awsAccount();
  const questions: number[] = [];
  const throws: Error[] = [];
  const deliver = account.worker({
    burst: 9,
    types: [
      {
        ...{ kind: clusterKind, service: 'EKS', describeTimeoutMs: 500, factsSeen: (seen) => seen },
        resources: {
          describe: async () => new Map(),
          list: async () => ({ resources: [], nextToken: undefined }),
        },
        changes: {
          state: 'UPDATING',
          failure: async (_target, _id, sinceMs) => {
            questions.push(sinceMs / 1000 - halfPastTen);
            const error = throws.shift();
            if (error) throw error;
            return outcome;
          },
        },
      },
    ],
  });
  await account.resourceStore.claim({ ...place, resourceId, dcmId: 'c-1' });
  const seen = (state: string, seconds: number, reason?: string): ResourceMessage => ({
    ...{ kind: 'observation', resourceId, ...place, state, at: halfPastTen + seconds, seenBy: 'listing' },
    ...(reason !== undefined && { reason: { message: reason } }),
  });
  await deliver([seen('ACTIVE', 0)]);
  const published = () => account.told(resourceId).map(({ status, message }) => [status, message]);
  return { deliver, seen, published, questions, throws };
};

const active = `cluster c-1 is ACTIVE`;

describe('the end of an update of a cluster', () => {
  it('is published as ACTIVE with EKS’s error where the update failed, once', async () => {
    const { deliver, seen, published, questions } = await world(failed);
    await deliver([seen('UPDATING', 60)]);

    await deliver([seen('ACTIVE', 120, 'node group workers is ACTIVE')]);
    await deliver([seen('ACTIVE', 120, 'node group workers is ACTIVE')], 2);
    await deliver([seen('ACTIVE', 180, 'node group workers is ACTIVE')]);

    expect(published().slice(0, 3)).toEqual([
      ['ACTIVE', active],
      ['PROGRESSING', `cluster c-1 is UPDATING`],
      ['ACTIVE', `${active}: node group workers is ACTIVE; ${failed}`],
    ]);
    expect(published().filter(([, message]) => message?.includes('has failed'))).toHaveLength(1);
    expect(questions).toEqual([0]);
  });

  it('says nothing of an update that was successful', async () => {
    const { deliver, seen, published } = await world();
    await deliver([seen('UPDATING', 60)]);

    await deliver([seen('ACTIVE', 120)]);

    expect(published().at(-1)).toEqual(['ACTIVE', active]);
  });

  it('is asked about where both its states are in one batch, too', async () => {
    const { deliver, seen, published } = await world(failed);

    await deliver([[seen('UPDATING', 60), seen('DEGRADED', 120, 'VpcNotFound: gone')]]);

    expect(published().at(-1)).toEqual(['DEGRADED', `cluster c-1 is DEGRADED: VpcNotFound: gone; ${failed}`]);
  });

  it('is not asked about in a deletion, nor where there was no update', async () => {
    const { deliver, seen, questions } = await world(failed);
    await deliver([seen('DEGRADED', 60)]);
    await deliver([seen('ACTIVE', 120)]);
    await deliver([seen('UPDATING', 180)]);

    await deliver([seen('DELETING', 240)]);

    expect(questions).toEqual([]);
  });

  it('waits for a redelivery where EKS does not answer, and then does without', async () => {
    const { deliver, seen, published, throws } = await world(failed);
    await deliver([seen('UPDATING', 60)]);
    throws.push(new ThrottledError('slow down'), new ThrottledError('slow down'));

    const failures = await deliver([seen('ACTIVE', 120)]);
    expect([failures.size, published().length]).toEqual([1, 2]);
    await deliver([seen('ACTIVE', 120)], 2);

    expect(published().at(-1)).toEqual(['ACTIVE', active]);
  });

  it('has the error where EKS answers the redelivery', async () => {
    const { deliver, seen, published, throws } = await world(failed);
    await deliver([seen('UPDATING', 60)]);
    throws.push(new ThrottledError('slow down'));

    await deliver([seen('ACTIVE', 120)]);
    await deliver([seen('ACTIVE', 120)], 2);

    expect(published().at(-1)).toEqual(['ACTIVE', `${active}: ${failed}`]);
  });

  it('is looked for among the updates since the state before it, whatever was published of the update itself', async () => {
    const { deliver, seen, questions } = await world(failed);
    await deliver([seen('DEGRADED', 60, 'VpcNotFound: gone')]);
    await deliver([seen('UPDATING', 120)]);
    await deliver([seen('UPDATING', 180, 'node group workers is UPDATING')]);

    await deliver([seen('ACTIVE', 240)]);

    expect(questions).toEqual([60]);
  });
});
