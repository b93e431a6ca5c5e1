import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../../../shared/core/errors.ts';
import { cachedOfferings } from '../../../../../shared/service-types/vm/ec2/offerings.ts';
import { image, imageId, scriptedOfferings } from '../../../../fakes/scripted-offerings.ts';

const minute = 60_000;
const startMs = Date.UTC(2026, 0);

const remembering = () => {
  const scripted = scriptedOfferings([{ ...image(), owner: 'o' }]);
  const clock = { now: startMs };
  scripted.parameters.set('/p', imageId(1));
  return { scripted, clock, offerings: cachedOfferings(scripted, () => clock.now) };
};

describe('cached offerings', () => {
  it('are requested once in ten minutes (C 67)', async () => {
    const { scripted, clock, offerings } = remembering();
    const askAll = () =>
      Promise.all([
        offerings.image({ region: 'us-east-1' }, imageId(1)),
        offerings.newestImage(
          { region: 'us-east-1' },
          { owner: 'o', name: 'an image', architecture: 'x86_64' },
        ),
        offerings.imageIdOf({ region: 'us-east-1' }, '/p'),
        offerings.instanceTypes({ region: 'us-east-1' }, ['t3']),
      ]);

    const first = await askAll();
    clock.now = startMs + 10 * minute;
    expect(await askAll()).toEqual(first);
    expect(scripted.asked).toHaveLength(4);

    clock.now += 1;
    await askAll();
    expect(scripted.asked).toHaveLength(8);
  });

  it('are requested once by concurrent callers (C 44)', async () => {
    const { scripted, offerings } = remembering();

    await Promise.all(
      Array.from({ length: 50 }, () => offerings.instanceTypes({ region: 'us-east-1' }, ['t3'])),
    );

    expect(scripted.asked).toHaveLength(1);
  });

  it('are kept apart by region and arguments', async () => {
    const { scripted, offerings } = remembering();

    for (const region of ['us-east-1', 'eu-west-1'])
      for (const families of [['t3'], ['t3', 'm7i']]) await offerings.instanceTypes({ region }, families);

    expect(scripted.asked).toHaveLength(4);
  });

  it('that do not exist are requested again', async () => {
    const { scripted, offerings } = remembering();

    expect(await offerings.image({ region: 'us-east-1' }, imageId(2))).toBeUndefined();
    scripted.images.push(image({ imageId: imageId(2) }));

    expect(await offerings.image({ region: 'us-east-1' }, imageId(2))).toBeDefined();
  });

  it('that failed are requested again (C 53)', async () => {
    const { scripted, clock } = remembering();
    let failures = 1;
    const offerings = cachedOfferings(
      {
        ...scripted,
        instanceTypes: (...asked) => {
          failures -= 1;
          return failures >= 0
            ? Promise.reject(new UnavailableError('away'))
            : scripted.instanceTypes(...asked);
        },
      },
      () => clock.now,
    );

    await expect(offerings.instanceTypes({ region: 'us-east-1' }, ['t3'])).rejects.toThrow(UnavailableError);

    expect(await offerings.instanceTypes({ region: 'us-east-1' }, ['t3'])).not.toEqual([]);
  });

  it('are limited in number (C 66)', async () => {
    const { scripted, offerings } = remembering();
    const one = image({ imageId: imageId(1) });
    scripted.images.push(...Array.from({ length: 501 }, (_, n) => ({ ...one, imageId: imageId(n + 10) })));

    for (const { imageId: id } of scripted.images) await offerings.image({ region: 'us-east-1' }, id);
    await offerings.image({ region: 'us-east-1' }, imageId(1));

    expect(scripted.asked.filter((question) => question.endsWith(imageId(1)))).toHaveLength(2);
  });
});
