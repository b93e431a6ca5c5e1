import { describe, expect, it } from 'vitest';
import { comparePage } from '../../../functions/poller/compare-page.ts';
import { clusterKind } from '../../../shared/service-types/cluster/kind.ts';
import { servedClusters } from '../../../shared/service-types/cluster/served.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import { memoryEks } from '../../fakes/memory-eks.ts';
import { memoryResourceStore } from '../../fakes/memory-resource-store.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { halfPastTen } from '../../fixtures/resource-messages.ts';

const now = () => halfPastTen * 1000;
const resourceId = 'eks/us-east-1/c-1';
const place = { resourceId, region: 'us-east-1', account: '123456789012' };

/** What a listing queues of a cluster in a state, for a reason, where the store holds the same state with another message. */
const queued = async (state: string, { reason, told }: { reason: string | undefined; told: string }) => {
  const resourceStore = memoryResourceStore(now);
  const at = halfPastTen - 300;
  await resourceStore.claim({ ...place, dcmId: 'c-1' });
  await resourceStore.record(
    { kind: 'observation', ...place, at, state, seenBy: 'listing' },
    {
      key: `${at}0`,
      id: 'id',
      at,
      status: clusterKind.statusOf(state),
      message: `cluster c-1 is ${state}${told}`,
    },
  );
  const events: EventBridgeEvent[] = [];
  const compare = comparePage({
    ...{ resourceStore, now, meter: countingMeter(), log: memoryLog() },
    observations: { send: async (sent) => void events.push(...sent) },
  });
  const described = {
    ...{ resourceId, account: '123456789012', state, tags: {}, launchedAtMs: 0 },
    reason: reason === undefined ? undefined : { message: reason },
  };
  const type = servedClusters(memoryEks(now).views);
  await compare(
    { type, polled: { target: { region: 'us-east-1', serviceType: 'cluster' }, mode: 'legacy' } },
    [{ described, dcmId: 'c-1' }],
  );
  return events.map(({ detail }) => detail);
};

describe('the reason of a cluster’s state, in a listing', () => {
  it('is published where it is another one, although the state is the same (CC 37)', async () => {
    const seen = await queued('DEGRADED', { reason: 'VpcNotFound: gone', told: ': AccessDenied: no' });

    expect(seen).toMatchObject([{ state: 'DEGRADED', 'state-reason': { message: 'VpcNotFound: gone' } }]);
  });

  it('is not published again by every listing (CC 27)', async () => {
    expect(await queued('DEGRADED', { reason: 'VpcNotFound: gone', told: ': VpcNotFound: gone' })).toEqual(
      [],
    );
  });

  it('is published of a deletion that fails', async () => {
    const reason =
      'EKS says ACTIVE; node group workers is DELETE_FAILED: Ec2SecurityGroupDeletionFailure: in use';

    expect(await queued('DELETING', { reason, told: '' })).toHaveLength(1);
  });

  it('is not missed where there is none', async () => {
    expect(await queued('ACTIVE', { reason: undefined, told: '' })).toEqual([]);
  });
});
