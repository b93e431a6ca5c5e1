import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../shared/core/errors.ts';
import { pastStatusOf } from '../../shared/core/history.ts';
import type { InstanceState } from '../../shared/service-types/vm/kind.ts';
import { vmKind } from '../../shared/service-types/vm/kind.ts';

import { halfPastTen, spotWarning } from '../fixtures/resource-messages.ts';
import { noticeStatus, readdressedStatus, repeatedStatus } from '../fixtures/statuses.ts';
import { type MakeResourceStore, resourceStoreSubject } from './resource-store-subject.ts';

const cycle: readonly InstanceState[] = ['pending', 'running', 'stopping', 'stopped'];

/** What every Fleet is held to about what it remembers beside what is to be told. */
export const resourceStoreHistoryContract = (name: string, make: MakeResourceStore) => {
  const { setup, vmIn } = resourceStoreSubject(make);
  const begin = async () => {
    const subject = await setup();
    await subject.resourceStore.claim(subject.claim);
    const change = async (n: number) => vmIn(await subject.see(cycle[n % cycle.length] ?? 'pending', n));
    const settle = async (vm: Awaited<ReturnType<typeof change>>) =>
      subject.resourceStore.settle(
        vm,
        vm.outbox.map(({ key }) => key),
      );
    const held = async () => vmIn(await subject.resourceStore.readConsistently(subject.resourceId));
    return { ...subject, change, settle, held };
  };

  describe(`fleet: ${name}, the history`, () => {
    it('has what the VM came to be, told or not, with reasons', async () => {
      const { see, settle, held } = await begin();
      const stopped = vmIn(await see('stopped', 0, { reason: { code: 'Server.ScheduledStop' } }));
      await settle(stopped);
      const pending = vmIn(await see('pending', 60));

      expect(pending.history).toEqual([...stopped.outbox, ...pending.outbox].map(pastStatusOf));
      expect(await held()).toEqual(pending);
    });

    it('has warnings, and no repeats', async () => {
      const { resourceStore, see, resourceId } = await begin();
      const running = vmIn(await see('running', 0));
      const notice = spotWarning(5, { resourceId });
      const status = noticeStatus({ ...running, state: 'running' }, notice);

      const noticed = vmIn(await resourceStore.notify(running, notice, status));
      const again = repeatedStatus({ ...noticed, latest: status }, { at: halfPastTen + 60 });
      const repeated = vmIn(await resourceStore.republish(noticed, again));

      expect(repeated.history).toEqual([...running.outbox, status].map(pastStatusOf));
    });

    it('does not grow with what is no news', async () => {
      const { see } = await begin();
      await see('running', 0);
      await see('running', 0);

      expect(vmIn(await see('running', 60)).history).toHaveLength(1);
    });

    it('keeps the ten newest once they are settled, and does not forget what is unpublished', async () => {
      const { change, settle } = await begin();
      let vm = await change(0);
      for (let n = 1; n < 13; n++) vm = await change(n);
      expect(vm.history).toHaveLength(13);

      const settled = await settle(vm);

      expect(settled?.outbox).toEqual([]);
      expect(settled?.history).toEqual(vm.history.slice(3));
    });

    it('loses nothing newer to a worker that settles late', async () => {
      const { change, settle, held } = await begin();
      const first = await change(0);
      for (let n = 1; n < 12; n++) await change(n);

      await settle(first);

      expect((await held()).history).toHaveLength(12);
    });
  });

  describe(`fleet: ${name}, the public address`, () => {
    it('is kept with a new state, and with the one that is held', async () => {
      const { see } = await begin();

      const pending = vmIn(await see('pending', 0));
      const running = vmIn(await see('running', 9, { publicAddress: '203.0.113.7' }));
      const seen = vmIn(await see('running', 60, { publicAddress: '203.0.113.8' }));

      expect([pending, running, seen].map(({ publicAddress }) => publicAddress)).toEqual([
        undefined,
        '203.0.113.7',
        '203.0.113.8',
      ]);
    });

    it('stays where nobody says, and goes where there is none', async () => {
      const { see } = await begin();
      await see('running', 0, { publicAddress: '203.0.113.7' });

      const silent = vmIn(await see('stopping', 60));
      const gone = vmIn(await see('stopped', 90, { publicAddress: '' }));

      expect([silent, gone].map(({ publicAddress }) => publicAddress)).toEqual(['203.0.113.7', '']);
    });

    it('is not known any more after a stop, of which an event does not say it', async () => {
      const { see } = await begin();
      await see('running', 0, { publicAddress: '203.0.113.7' });

      const stopped = vmIn(await see('stopped', 90));

      expect(stopped).toMatchObject({ getsPublicAddress: true });
      expect(stopped.publicAddress).toBeUndefined();
    });

    it('is forgotten with the VM', async () => {
      const { resourceStore, see, claim, held } = await begin();
      await see('running', 0, { publicAddress: '203.0.113.7' });

      await resourceStore.removeOwnership(claim.resourceId);
      await resourceStore.claim(claim);

      expect((await held()).publicAddress).toBeUndefined();
    });
  });

  describe(`fleet: ${name}, the addresses of a VM`, () => {
    const both = { privateAddress: '10.0.0.4', publicAddress: '203.0.113.7' };

    it('are kept by a claim and by an observation, where they are known', async () => {
      const { resourceStore, claim, see, held } = await begin();
      await resourceStore.claim({ ...claim, privateAddress: '10.0.0.4', isWindows: true });
      await see('running', 0, { publicAddress: '203.0.113.7' });
      await resourceStore.claim(claim);

      expect(await held()).toMatchObject({ ...both, getsPublicAddress: true, isWindows: true });
    });

    it('are kept with a status that tells of them, in one write', async () => {
      const { resourceStore, see } = await begin();
      const running = vmIn(await see('running', 0));
      const { latest } = running;
      const again = latest && readdressedStatus({ ...running, latest }, halfPastTen + 60);

      const [silent, told] = [
        await resourceStore.readdress(running, { privateAddress: '10.0.0.4' }, undefined),
        await resourceStore.readdress(running, both, again),
      ];

      expect(silent).toMatchObject({
        outcome: 'unchanged',
        vm: { privateAddress: '10.0.0.4', outbox: [{}] },
      });
      expect(told).toMatchObject({
        outcome: 'accepted',
        vm: { ...both, latest: again, outbox: [{}, again] },
      });
    });

    it('are refused where the state changed meanwhile, and where nobody holds the VM', async () => {
      const { resourceStore, see, claim } = await begin();
      const running = vmIn(await see('running', 0));
      await see('stopping', 60);

      await expect(resourceStore.readdress(running, both, undefined)).rejects.toThrow(UnavailableError);
      await resourceStore.removeOwnership(claim.resourceId);
      expect(await resourceStore.readdress(running, both, undefined)).toEqual({ outcome: 'unknown' });
    });

    it('are not passed over where DCM holds others, though the state is held already', async () => {
      const { see } = await begin();
      await see('running', 0, both);

      await expect(see('running', 60, { publicAddress: '203.0.113.8' })).rejects.toThrow(UnavailableError);
    });
  });

  describe(`fleet: ${name}, VMs that have ended`, () => {
    it('are those of the region that were terminated since then', async () => {
      const [early, late, alive, elsewhere] = [await setup(), await setup(), await setup(), await setup()];
      const region = `us-test-${late.resourceId}`;
      for (const { resourceStore, claim } of [early, late, alive])
        await resourceStore.claim({ ...claim, region });
      await elsewhere.resourceStore.claim({ ...elsewhere.claim, region: 'elsewhere' });
      await early.see('terminated', 0);
      await late.see('terminated', 60);
      await alive.see('running', 60);
      await elsewhere.see('terminated', 60);

      const found: string[] = [];
      let token: string | undefined;
      do {
        const page = await late.resourceStore.ended({
          ...{ kind: vmKind, region, since: halfPastTen + 60, token },
        });
        found.push(...page.resources.map(({ resourceId }) => resourceId));
        token = page.next;
      } while (token !== undefined);

      expect(found).toEqual([late.resourceId]);
    });
  });

  describe(`fleet: ${name}, an instance with the id of another one’s VM`, () => {
    it('is remembered as that for a day, and does not overrule a claim', async () => {
      const { resourceStore, clock, resourceId, read, claim } = await setup();
      await resourceStore.markForeign([resourceId], claim.dcmId);
      expect(await read()).toEqual({ owner: 'foreign', duplicateOf: claim.dcmId });

      clock.ms += 86_401_000;
      expect(await read()).toEqual({ owner: 'unknown' });
      await resourceStore.claim(claim);
      await resourceStore.markForeign([resourceId], claim.dcmId);
      expect(await read()).toMatchObject({ owner: 'ours' });
    });

    it('is nobody’s once it is disclaimed for another reason', async () => {
      const { resourceStore, resourceId, read, claim } = await setup();
      await resourceStore.markForeign([resourceId], claim.dcmId);

      await resourceStore.markForeign([resourceId]);

      expect(await read()).toEqual({ owner: 'foreign' });
    });
  });

  describe(`fleet: ${name}, read again`, () => {
    it('shows what every write so far has left, and knows nothing of what is not ours', async () => {
      const { resourceStore, change, settle, resourceId } = await begin();
      const settled = await settle(await change(0));

      expect(await resourceStore.readConsistently(resourceId)).toEqual({ outcome: 'unchanged', vm: settled });
      expect(await resourceStore.readConsistently('i-0000000000000000f')).toEqual({ outcome: 'unknown' });
    });
  });
};
