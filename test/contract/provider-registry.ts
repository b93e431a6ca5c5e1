import { describe, expect, it } from 'vitest';
import type { ProviderRegistry } from '../../shared/ports/provider-registry.ts';
import type { ProviderRegistration } from '../../shared/wire/dcm-provider.ts';

export type RegistrySubject = AsyncDisposable & {
  readonly registry: ProviderRegistry;
  /** DCM loses its registry. */
  forgetAll(): void;
};

type Options = {
  /** An environment agent cannot. */
  readonly canWithdraw: boolean;
};

export const registration: ProviderRegistration = {
  name: 'ec2-sp',
  endpoint: 'https://api.test/api/v1alpha1/vms',
  service_type: 'vm',
  schema_version: 'v1alpha1',
  display_name: 'Amazon EC2 in eu-west-1',
  operations: ['CREATE', 'DELETE', 'READ'],
  metadata: { region_code: 'eu-west-1', registered_at: '2026-11-21T06:00:00.000Z' },
};

const registeredAt = Date.parse(registration.metadata.registered_at) / 1000;

/** `now` in seconds since 1970 is DCM's clock. */
export const providerRegistryContract = (
  name: string,
  open: (now: () => number) => Promise<RegistrySubject>,
  { canWithdraw }: Options = { canWithdraw: true },
): void => {
  describe(`provider registry ${name}`, () => {
    let seconds = 1_790_000_000;
    const opened = () => open(() => seconds * 1000);

    it('has a new row, and says that it is new', async () => {
      await using subject = await opened();

      const answer = await subject.registry.register('row-1', registration);

      const row = { createdAt: seconds, registeredAt };
      expect(answer).toEqual({ outcome: 'registered', isNew: true, row });
    });

    it('has the same row still when it is registered again', async () => {
      await using subject = await opened();
      await subject.registry.register('row-1', registration);
      const createdAt = seconds;
      seconds += 60;

      const answer = await subject.registry.register('row-1', { ...registration, display_name: 'EC2' });

      expect(answer).toEqual({ outcome: 'registered', isNew: false, row: { createdAt, registeredAt } });
    });

    it('finds a row as it was registered last, and none where there is none', async () => {
      await using subject = await opened();
      const createdAt = seconds;
      await subject.registry.register('row-1', registration);
      const metadata = { ...registration.metadata, registered_at: '2026-11-21T06:01:00.000Z' };
      await subject.registry.register('row-1', { ...registration, metadata });

      expect(await subject.registry.find('row-1')).toEqual({ createdAt, registeredAt: registeredAt + 60 });
      expect(await subject.registry.find('row-2')).toBeUndefined();
    });

    it('refuses a name that another id has, and says why', async () => {
      await using subject = await opened();
      await subject.registry.register('row-1', registration);

      const answer = await subject.registry.register('row-2', registration);

      expect(answer).toEqual({
        ...{ outcome: 'refused', detail: expect.stringContaining("'ec2-sp'") },
        isConflict: true,
      });
    });

    it('lists the rows that it has', async () => {
      await using subject = await opened();
      await subject.registry.register('row-1', registration);

      expect(await subject.registry.list()).toEqual({
        providers: [expect.objectContaining({ id: 'row-1', name: 'ec2-sp', service_type: 'vm' })],
      });
    });

    it('has a new row again when it lost all it had', async () => {
      await using subject = await opened();
      await subject.registry.register('row-1', registration);
      subject.forgetAll();

      const answer = await subject.registry.register('row-1', registration);

      expect(answer).toMatchObject({ outcome: 'registered', isNew: true });
    });

    if (canWithdraw)
      it('forgets a row, however often it is withdrawn', async () => {
        await using subject = await opened();
        await subject.registry.register('row-1', registration);

        const answers = [await subject.registry.withdraw('row-1'), await subject.registry.withdraw('row-1')];

        expect(answers.map(({ outcome }) => outcome)).toEqual(['withdrawn', 'withdrawn']);
        expect(await subject.registry.find('row-1')).toBeUndefined();
      });
    else
      it('keeps a row that is withdrawn, and says so', async () => {
        await using subject = await opened();
        await subject.registry.register('row-1', registration);

        const { outcome } = await subject.registry.withdraw('row-1');

        expect(outcome).toBe('refused');
        expect(await subject.registry.find('row-1')).toBeDefined();
      });
  });
};
