import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../shared/core/errors.ts';
import type { Notice } from '../../shared/core/message.ts';
import type { Resource } from '../../shared/core/resource.ts';
import { halfPastTen, spotWarning } from '../fixtures/resource-messages.ts';
import { noticeStatus, repeatedStatus } from '../fixtures/statuses.ts';
import { type MakeResourceStore, resourceStoreSubject } from './resource-store-subject.ts';

/** What every Fleet is held to about what is told beside the states: notices, and repeats. */
export const resourceStoreNoticesContract = (name: string, make: MakeResourceStore) => {
  const { setup, vmIn, statuses } = resourceStoreSubject(make);
  const repeat = (vm: Resource, seconds: number) => {
    if (!vm.latest) throw new Error('expected a VM that something was told of');
    return repeatedStatus({ ...vm, latest: vm.latest }, { at: halfPastTen + seconds });
  };

  describe(`fleet: ${name}, beside the states`, () => {
    it('remembers a notice until the VM runs again, and publishes it once', async () => {
      const { resourceStore, claim, see, resourceId } = await setup();
      await resourceStore.claim(claim);
      const running = vmIn(await see('running', 0));
      const notice = spotWarning(5, { resourceId });
      const status = noticeStatus({ ...running, state: 'running' }, notice);

      const noticed = await resourceStore.notify(running, notice, status);
      const again = await resourceStore.notify(running, notice, status);
      const stopped = await see('stopped', 60);
      const started = await see('running', 90);

      expect(noticed.outcome).toBe('accepted');
      expect(vmIn(noticed).notices).toEqual({ 'spot-interruption': { at: notice.at, text: notice.text } });
      expect(vmIn(noticed).outbox).toHaveLength(2);
      expect(again.outcome).toBe('stale');
      expect(vmIn(stopped).notices).toHaveProperty('spot-interruption');
      expect(vmIn(started).notices).toBeUndefined();
    });

    it('asks to try a notice again where the VM changed meanwhile', async () => {
      const { resourceStore, claim, see, resourceId } = await setup();
      await resourceStore.claim(claim);
      const running = vmIn(await see('running', 0));
      await see('stopping', 4);
      const notice = spotWarning(5, { resourceId });

      const noticing = resourceStore.notify(
        running,
        notice,
        noticeStatus({ ...running, state: 'running' }, notice),
      );

      await expect(noticing).rejects.toThrow(UnavailableError);
    });

    it('puts what was told last into the outbox once more, after it, and once for a second', async () => {
      const { resourceStore, claim, see } = await setup();
      await resourceStore.claim(claim);
      const running = vmIn(await see('running', 0));
      const told = running.outbox.map(({ key }) => key);
      await resourceStore.settle(running, told);
      const status = repeat(running, 5);

      const repeated = await resourceStore.republish(running, status);
      const raced = await resourceStore.republish(running, status);
      const again = await resourceStore.republish(vmIn(repeated), repeat(vmIn(repeated), 4));

      expect([repeated.outcome, raced.outcome, again.outcome]).toEqual(['accepted', 'stale', 'stale']);
      expect(vmIn(again).outbox).toEqual([status]);
      expect(vmIn(again).latest).toEqual(status);
    });

    it('tells what was noticed after a repeat after it, though it happened before', async () => {
      const { resourceStore, claim, see, resourceId } = await setup();
      await resourceStore.claim(claim);
      const running = vmIn(await see('running', 0));
      const notice = spotWarning(3, { resourceId });

      const repeated = vmIn(await resourceStore.republish(running, repeat(running, 5)));
      const noticed = await resourceStore.notify(
        repeated,
        notice,
        noticeStatus({ ...repeated, state: 'running' }, notice),
      );

      expect(vmIn(noticed).outbox.map(({ id }) => id.split(':').at(-1))).toEqual([
        '1',
        'again',
        'spot-interruption',
      ]);
    });

    it('asks to try a repeat again where the VM changed, or something was told of it, meanwhile', async () => {
      const { resourceStore, claim, see, resourceId } = await setup();
      await resourceStore.claim(claim);
      const running = vmIn(await see('running', 0));
      const notice = spotWarning(3, { resourceId });
      const noticed = vmIn(
        await resourceStore.notify(running, notice, noticeStatus({ ...running, state: 'running' }, notice)),
      );

      await expect(resourceStore.republish(running, repeat(running, 5))).rejects.toThrow(UnavailableError);
      await see('stopping', 6);
      await expect(resourceStore.republish(noticed, repeat(noticed, 5))).rejects.toThrow(UnavailableError);
    });

    it('repeats nothing of a VM that was released', async () => {
      const { resourceStore, claim, see, resourceId } = await setup();
      await resourceStore.claim(claim);
      const running = vmIn(await see('running', 0));
      await resourceStore.removeOwnership(resourceId);

      expect(await resourceStore.republish(running, repeat(running, 5))).toEqual({ outcome: 'unknown' });
    });

    it('keeps notices of different kinds and of one second beside each other', async () => {
      const { resourceStore, claim, see, resourceId, read } = await setup();
      await resourceStore.claim(claim);
      let vm = vmIn(await see('running', 0));
      const notices = [
        spotWarning(5, { resourceId }),
        spotWarning(5, { resourceId, notice: 'rebalance-recommendation', text: 'rebalance' }),
        spotWarning(4, { resourceId, notice: 'scheduled-change', text: 'retirement' }),
      ];

      for (const notice of notices) {
        const noticed = await resourceStore.notify(
          vm,
          notice,
          noticeStatus({ ...vm, state: 'running' }, notice),
        );
        expect(noticed.outcome).toBe('accepted');
        vm = vmIn(noticed);
      }

      expect(vm.outbox).toHaveLength(4);
      expect(await read()).toMatchObject({
        vm: {
          notices: {
            'spot-interruption': { at: halfPastTen + 5 },
            'rebalance-recommendation': { at: halfPastTen + 5, text: 'rebalance' },
            'scheduled-change': { at: halfPastTen + 4, text: 'retirement' },
          },
        },
      });
    });

    it('keeps at most 1 KiB of the text of a notice', async () => {
      const { resourceStore, claim, see, resourceId } = await setup();
      await resourceStore.claim(claim);
      const running = vmIn(await see('running', 0));
      const notice = spotWarning(5, { resourceId, text: 'é'.repeat(100_000) });

      const noticed = await resourceStore.notify(
        running,
        notice,
        noticeStatus({ ...running, state: 'running' }, notice),
      );

      const kept = vmIn(noticed).notices?.['spot-interruption']?.text ?? '';
      expect(kept).toMatch(/^é{500,}…$/);
      expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(1024);
    });

    it('remembers that a status check fails, once, until it passes again', async () => {
      const { resourceStore, claim, see, resourceId } = await setup();
      await resourceStore.claim(claim);
      const running = vmIn(await see('running', 0));
      const state = 'running' as const;
      const tell = (vm: Resource, notice: Notice) =>
        resourceStore.notify(vm, notice, noticeStatus({ ...vm, state }, notice));
      const fails = spotWarning(60, { resourceId, notice: 'impaired', text: 'impaired: its check fails' });
      const passes = spotWarning(120, { resourceId, notice: 'recovered', text: '' });

      const warned = vmIn(await tell(running, fails));
      const again = await tell(warned, fails);
      const recovered = vmIn(await tell(warned, passes));

      expect(again.outcome).toBe('stale');
      expect(recovered.notices?.recovered).toEqual({ at: passes.at, text: '' });
      expect(recovered.outbox.map(({ message }) => message.split(' is ')[1])).toEqual([
        'running',
        'running: impaired: its check fails',
        'running',
      ]);
    });

    it('holds a launch to be stuck until it runs', async () => {
      const { resourceStore, claim, see, resourceId } = await setup();
      await resourceStore.claim(claim);
      const pending = vmIn(await see('pending', 0));
      const notice = spotWarning(900, { resourceId, notice: 'stuck-launch' });

      const stuck = await resourceStore.notify(
        pending,
        notice,
        noticeStatus({ ...pending, state: 'pending' }, notice),
      );
      const running = await see('running', 960);

      expect(vmIn(stuck).notices).toHaveProperty('stuck-launch');
      expect(vmIn(running).notices).toBeUndefined();
      expect(statuses(running)).toEqual(['PROVISIONING', 'FAILED', 'RUNNING']);
    });
  });
};
