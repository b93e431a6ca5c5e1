import { describe, expect, it } from 'vitest';
import { CapacityError, FailedPreconditionError, NotFoundError } from '../../shared/core/errors.ts';
import type { LaunchPlan } from '../../shared/service-types/vm/launch.ts';
import type { InstanceActions } from '../../shared/service-types/vm/ports.ts';

export type InstanceActionsUnderTest = {
  readonly actions: InstanceActions;
  /** One that can be launched, with a placement in each of two zones. */
  readonly plan: LaunchPlan;
  /** How many instances have this DCM id and are not on their way out. */
  readonly living: (dcmId: string) => Promise<number>;
  /** Resolves once the instance is in the state, or on its way there. */
  readonly until: (instanceId: string, states: readonly string[]) => Promise<void>;
  readonly protect: (instanceId: string) => Promise<void>;
  /** From then on there is no capacity in the zone. */
  readonly fill: (zone: string) => Promise<void>;
};

const starting = ['pending', 'running'];
const gone = ['shutting-down', 'terminated'];

/** What every InstanceActions is held to. */
export const instanceActionsContract = (name: string, make: () => Promise<InstanceActionsUnderTest>) => {
  describe(`instance actions: ${name}`, () => {
    const dcmId = 'dcm-instance-id';

    const launch = async (token: string) => {
      const under = await make();
      const [placement] = under.plan.placements;
      const launched = await under.actions.run(under.plan, placement, token);
      return { ...under, placement, launched, id: under.plan.tags[dcmId] ?? '' };
    };

    it('launch one instance, and say which and where', async () => {
      const { launched, placement, living, id } = await launch('token-1');

      expect(launched.instanceId).toMatch(/^i-[0-9a-f]{17}$/);
      expect(launched).toMatchObject({ account: '123456789012', zone: placement.zone });
      expect(launched.privateAddress).toMatch(/^[0-9.]+$/);
      expect(Math.abs(Date.now() - launched.launchedAtMs)).toBeLessThan(60_000);
      expect(await living(id)).toBe(1);
    });

    it('launch the same instance for the same token, however often and at once (C 29)', async () => {
      const { actions, plan, placement, launched, living, id } = await launch('token-2');

      const again = await Promise.all(
        Array.from({ length: 10 }, () => actions.run(plan, placement, 'token-2')),
      );

      expect(new Set(again.map(({ instanceId }) => instanceId))).toEqual(new Set([launched.instanceId]));
      expect(await living(id)).toBe(1);
    });

    it('launch another instance for another token', async () => {
      const { actions, plan, placement, launched } = await launch('token-3');

      const other = await actions.run(plan, placement, 'token-3b');

      expect(other.instanceId).not.toBe(launched.instanceId);
    });

    it('launch nothing where there is no capacity, and something elsewhere', async () => {
      const { actions, plan, fill, living } = await make();
      const [full, free = full] = plan.placements;
      await fill(full.zone ?? '');

      await expect(actions.run(plan, full, 'token-4')).rejects.toThrow(CapacityError);
      expect(await living(plan.tags[dcmId] ?? '')).toBe(0);
      expect((await actions.run(plan, free, 'token-4b')).zone).toBe(free.zone);
    });

    it('rehearse a launch without launching', async () => {
      const { actions, plan, living } = await make();

      await actions.dryRun(plan, plan.placements[0]);

      expect(await living(plan.tags[dcmId] ?? '')).toBe(0);
    });

    it('stop, start and reboot an instance', async () => {
      const { actions, plan, launched, until } = await launch('token-5');
      await until(launched.instanceId, starting);

      await actions.stop({ region: plan.region }, launched.instanceId);
      await until(launched.instanceId, ['stopping', 'stopped']);
      await actions.start({ region: plan.region }, launched.instanceId);
      await until(launched.instanceId, starting);

      await expect(actions.reboot({ region: plan.region }, launched.instanceId)).resolves.toBeUndefined();
    });

    it('terminate an instance, and do so again without an error (C 31)', async () => {
      const { actions, plan, launched, until } = await launch('token-6');

      await actions.terminate({ region: plan.region }, launched.instanceId);
      await until(launched.instanceId, gone);

      await expect(actions.terminate({ region: plan.region }, launched.instanceId)).resolves.toBeUndefined();
    });

    it.each(['start', 'stop', 'reboot', 'terminate'] as const)(
      'say where there is no instance to %s',
      async (action) => {
        const { actions, plan } = await make();

        await expect(actions[action]({ region: plan.region }, 'i-0123456789abcdef0')).rejects.toThrow(
          NotFoundError,
        );
      },
    );

    it('do not terminate what is protected, and say so', async () => {
      const { actions, plan, launched, protect } = await launch('token-7');
      await protect(launched.instanceId);

      await expect(actions.terminate({ region: plan.region }, launched.instanceId)).rejects.toThrow(
        FailedPreconditionError,
      );
    });
  });
};
