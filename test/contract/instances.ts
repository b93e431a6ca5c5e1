import { describe, expect, it } from 'vitest';
import type { Tags } from '../../shared/core/ownership.ts';
import type { Instances } from '../../shared/service-types/vm/ports.ts';
import type { ImpairedInstances, StatusCheck } from '../../shared/service-types/vm/status-checks.ts';
import { ourTags } from '../fixtures/resource-messages.ts';

export type InstancesUnderTest = {
  readonly instances: Instances & ImpairedInstances;
  /** Launches an instance and answers its id once it runs. */
  readonly launch: (tags: Tags) => Promise<string>;
  /** Terminates it, and answers once it is. */
  readonly terminate: (instanceId: string) => Promise<void>;
  /** Lets it fail a status check. */
  readonly impair: (instanceId: string, check: StatusCheck) => Promise<void>;
};

const timeoutMs = 20_000;

/** What every Instances is held to. */
export const instancesContract = (name: string, make: () => Promise<InstancesUnderTest>) => {
  describe(`instances: ${name}`, () => {
    it('describes an instance with its state, its tags and its launch', async () => {
      const { instances, launch } = await make();
      const before = Math.floor(Date.now() / 1000) * 1000;
      const id = await launch(ourTags);

      const found = (await instances.describe({ region: 'us-east-1' }, [id], timeoutMs)).get(id);

      expect(found).toMatchObject({ resourceId: id, state: 'running', tags: ourTags, reason: undefined });
      expect(found?.launchedAtMs).toBeGreaterThanOrEqual(before);
    });

    it('describes what it is, where it is and under which addresses', async () => {
      const { instances, launch } = await make();
      const id = await launch(ourTags);

      const found = (await instances.describe({ region: 'us-east-1' }, [id], timeoutMs)).get(id);

      const address = expect.stringMatching(/^\d+(\.\d+){3}$/);
      expect(found).toMatchObject({
        instanceType: 't3.micro',
        imageId: 'ami-0123456789abcdef0',
        zone: 'us-east-1a',
        privateAddress: address,
        publicAddress: address,
      });
    });

    it('names the running instances that fail a status check, and since when', async () => {
      const { instances, launch, terminate, impair } = await make();
      const [system, own, healthy, gone] = [
        await launch({}),
        await launch({}),
        await launch({}),
        await launch({}),
      ];
      const before = Math.floor(Date.now() / 1000) * 1000;
      for (const id of [own, gone]) await impair(id, 'instance');
      await impair(system, 'system');
      await terminate(gone);

      const failOwn = await instances.impaired({ region: 'us-east-1' }, 'instance', timeoutMs);
      const failSystem = await instances.impaired({ region: 'us-east-1' }, 'system', timeoutMs);

      const ids = [system, own, healthy, gone];
      expect(ids.filter((id) => failOwn.has(id))).toEqual([own]);
      expect(ids.filter((id) => failSystem.has(id))).toEqual([system]);
      expect(failOwn.get(own)).toBeGreaterThanOrEqual(before);
      expect((await instances.impaired({ region: 'eu-west-1' }, 'instance', timeoutMs)).size).toBe(0);
    });

    it('leaves out what EC2 does not know, without failing for the others', async () => {
      const { instances, launch } = await make();
      const id = await launch({});

      const found = await instances.describe({ region: 'us-east-1' }, ['i-0123456789abcdef0', id], timeoutMs);

      expect([...found.keys()]).toEqual([id]);
    });

    it('finds nothing in a region where the instance is not', async () => {
      const { instances, launch } = await make();
      const id = await launch({});

      expect((await instances.describe({ region: 'eu-west-1' }, [id], timeoutMs)).size).toBe(0);
    });

    it('tells why an instance was terminated', async () => {
      const { instances, launch, terminate } = await make();
      const id = await launch({});
      await terminate(id);

      const found = (await instances.describe({ region: 'us-east-1' }, [id], timeoutMs)).get(id);

      expect(found?.state).toBe('terminated');
      expect(found?.reason?.code).toBe('Client.UserInitiatedShutdown');
    });

    it('describes as many as a call may name', async () => {
      const { instances, launch } = await make();
      const ids = await Promise.all(Array.from({ length: 12 }, () => launch({})));
      const others = Array.from({ length: 199 - ids.length }, (_, n) => `i-${String(n).padStart(17, '0')}`);

      const found = await instances.describe({ region: 'us-east-1' }, [...others, ...ids], timeoutMs);

      expect(new Set(found.keys())).toEqual(new Set(ids));
    });
  });
};
