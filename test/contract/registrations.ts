import { beforeEach, describe, expect, it } from 'vitest';
import type { Registration, Registrations } from '../../shared/ports/registrations.ts';

const registered: Registration = {
  outcome: 'registered',
  detail: 'DCM has the provider',
  at: 1_790_000_000,
  providerId: 'ec2-1',
  rowCreatedAt: 1_789_000_000,
  registeredAt: 1_790_000_000,
  republishedAt: 1_789_990_000,
};
const refused: Registration = {
  outcome: 'refused',
  detail: 'HTTP 409: the name is taken',
  at: 1_790_000_060,
  providerId: 'ec2-1',
  nextAttemptAt: 1_790_000_660,
};

export const registrationsContract = (name: string, open: () => Promise<Registrations>): void => {
  describe(`registrations ${name}`, () => {
    let registrations: Registrations;
    beforeEach(async () => {
      registrations = await open();
    });

    it('have no result of a provider that was never tried', async () => {
      expect(await registrations.read(['ec2-sp-never'])).toEqual(new Map());
      expect(await registrations.read([])).toEqual(new Map());
    });

    it('return the result of each provider that is asked for', async () => {
      await registrations.record('ec2-sp', registered);
      await registrations.record('ec2-sp-us-east-1', refused);

      const recalled = await registrations.read(['ec2-sp', 'ec2-sp-us-east-1', 'ec2-sp-never']);

      expect(recalled).toEqual(
        new Map([
          ['ec2-sp', registered],
          ['ec2-sp-us-east-1', refused],
        ]),
      );
    });

    it('keep only the last result', async () => {
      await registrations.record('ec2-sp', registered);
      await registrations.record('ec2-sp', { ...refused, rowCreatedAt: undefined });

      expect((await registrations.read(['ec2-sp'])).get('ec2-sp')).toEqual(refused);
    });

    it('forget a result, also one that they do not have', async () => {
      await registrations.record('ec2-sp', registered);

      await registrations.forget('ec2-sp');
      await registrations.forget('ec2-sp');

      expect(await registrations.read(['ec2-sp'])).toEqual(new Map());
    });
  });
};
