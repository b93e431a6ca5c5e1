import { describe, expect, it } from 'vitest';
import type { ProviderRegistry } from '../../shared/ports/provider-registry.ts';
import type { ProviderRegistration } from '../../shared/wire/dcm-provider.ts';

export type RegistrySubject = AsyncDisposable & {
  readonly registry: ProviderRegistry;
  /** DCM loses its registry. */
  forgetAll(): void;
};

type Options = {
  /** An environment agent cannot remove providers. */
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

    it('registers a new provider, and answers that it is new', async () => {
      await using subject = await opened();

      const answer = await subject.registry.register('ec2-1', registration);

      const held = { createdAt: seconds, registeredAt };
      expect(answer).toEqual({ outcome: 'registered', isNew: true, held });
    });

    it('keeps its row when a provider is registered again', async () => {
      await using subject = await opened();
      await subject.registry.register('ec2-1', registration);
      const createdAt = seconds;
      seconds += 60;

      const answer = await subject.registry.register('ec2-1', { ...registration, display_name: 'EC2' });

      expect(answer).toEqual({ outcome: 'registered', isNew: false, held: { createdAt, registeredAt } });
    });

    it('finds a provider as it was registered last, and no other', async () => {
      await using subject = await opened();
      const createdAt = seconds;
      await subject.registry.register('ec2-1', registration);
      const metadata = { ...registration.metadata, registered_at: '2026-11-21T06:01:00.000Z' };
      await subject.registry.register('ec2-1', { ...registration, metadata });

      expect(await subject.registry.find('ec2-1')).toEqual({ createdAt, registeredAt: registeredAt + 60 });
      expect(await subject.registry.find('ec2-2')).toBeUndefined();
    });

    it('refuses a name that another id has, with the reason', async () => {
      await using subject = await opened();
      await subject.registry.register('ec2-1', registration);

      const answer = await subject.registry.register('ec2-2', registration);

      expect(answer).toEqual({
        ...{ outcome: 'refused', detail: expect.stringContaining("'ec2-sp'") },
        isConflict: true,
      });
    });

    it('lists its providers', async () => {
      await using subject = await opened();
      await subject.registry.register('ec2-1', registration);

      expect(await subject.registry.list()).toEqual({
        providers: [expect.objectContaining({ id: 'ec2-1', name: 'ec2-sp', service_type: 'vm' })],
      });
    });

    it('registers a provider as new after it lost its registry', async () => {
      await using subject = await opened();
      await subject.registry.register('ec2-1', registration);
      subject.forgetAll();

      const answer = await subject.registry.register('ec2-1', registration);

      expect(answer).toMatchObject({ outcome: 'registered', isNew: true });
    });

    if (canWithdraw)
      it('removes a provider, also when it is withdrawn twice', async () => {
        await using subject = await opened();
        await subject.registry.register('ec2-1', registration);

        const answers = [await subject.registry.withdraw('ec2-1'), await subject.registry.withdraw('ec2-1')];

        expect(answers.map(({ outcome }) => outcome)).toEqual(['withdrawn', 'withdrawn']);
        expect(await subject.registry.find('ec2-1')).toBeUndefined();
      });
    else
      it('refuses to withdraw a provider', async () => {
        await using subject = await opened();
        await subject.registry.register('ec2-1', registration);

        const { outcome } = await subject.registry.withdraw('ec2-1');

        expect(outcome).toBe('refused');
        expect(await subject.registry.find('ec2-1')).toBeDefined();
      });
  });
};
