import { describe, expect, it } from 'vitest';
import { tryLaunch } from '../../../functions/provider-api/try-launch.ts';
import { NotFoundError, PermissionDeniedError } from '../../../shared/core/errors.ts';
import { specOf } from '../../../shared/service-types/vm/spec.ts';

const accounts = { prod: { id: '222222222222', regions: ['eu-west-1'] } };
const validation = {
  ...{ region: 'eu-west-1', image_id: 'ami-1', instance_type: 't3.medium' },
  ...{ chosen_by: { image: 'the catalogue', instance_type: 'the smallest' }, vcpu_quota: '0 of 32 vCPUs' },
};

/** What is asked of the targets, which answer so. */
const trial = (validate: () => Promise<typeof validation> = async () => validation) => {
  const asked: unknown[] = [];
  const launch = tryLaunch({
    accounts,
    vmsIn: (target) => ({
      validate: (...given) => {
        asked.push(target, ...given);
        return validate();
      },
    }),
  });
  return { asked, launch };
};

describe('the trial of a launch', () => {
  it.each([
    ['eu-west-1', { region: 'eu-west-1' }],
    ['prod/eu-west-1', { region: 'eu-west-1', account: '222222222222' }],
  ])('validates a VM of defaults in %s', async (name, target) => {
    const { asked, launch } = trial();

    expect(await launch(name)).toEqual({ instanceType: 't3.medium', imageId: 'ami-1' });
    expect(asked).toEqual([
      expect.objectContaining(target),
      specOf({ service_type: 'vm' }),
      expect.objectContaining({ ...target, requestId: 'doctor' }),
    ]);
  });

  it.each([new PermissionDeniedError('EC2 refuses it'), new NotFoundError('nothing is created there')])(
    'says why it could not be: %s',
    async (error) => {
      const { launch } = trial(() => Promise.reject(error));

      expect(await launch('eu-west-1')).toEqual({ refusal: error.message });
    },
  );

  it('fails for a defect of ours, and for a target that is not configured', async () => {
    const defect = new TypeError('undefined is no function');

    await expect(trial(() => Promise.reject(defect)).launch('eu-west-1')).rejects.toThrow(defect);
    await expect(trial().launch('prod/us-east-1')).rejects.toThrow('no target prod/us-east-1 is configured');
    await expect(trial().launch('audit/eu-west-1')).rejects.toThrow(
      'no target audit/eu-west-1 is configured',
    );
  });
});
