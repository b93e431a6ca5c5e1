import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../shared/core/errors.ts';
import { halfPastTen, observed, resourceId, spotWarning, wanted } from '../../fixtures/resource-messages.ts';
import { awsAccount, vm } from './account.ts';

const other = 'i-0000000000000000a';

/** So many minutes after the fixtures' signals. */
const afterMinutes = async (minutes: number) => {
  const account = awsAccount();
  account.clock.ms = (halfPastTen + minutes * 60) * 1000;
  await account.resourceStore.claim(vm);
  await account.resourceStore.claim({ ...vm, resourceId: other, dcmId: 'vm-a' });
  return { ...account, deliver: account.worker() };
};

describe('normaliser, after a long outage', () => {
  it('has the region’s statuses told again where a change had to wait more than 15 minutes', async () => {
    const { deliver, republished } = await afterMinutes(16);

    await deliver([observed('running')]);

    expect(republished).toEqual(['us-east-1']);
  });

  it('has it done for each region once in 15 minutes, however many changes had waited', async () => {
    const { deliver, republished, clock } = await afterMinutes(60);

    await deliver([observed('running'), observed('running', 0, { resourceId: other, region: 'eu-west-1' })]);
    await deliver([observed('stopping', 20)]);
    clock.ms += 15 * 60_000;
    await deliver([observed('stopped', 40)]);

    expect(republished).toEqual(['us-east-1', 'us-east-1']);
  });

  it.each([
    ['a change that was told in time', 14, [observed('running')]],
    ['what was asked for again', 1, [observed('running'), wanted(-1_000)]],
    ['a copy of what was told', 1, [observed('running'), observed('running', -1_000)]],
  ])('does nothing after %s', async (_, minutes, resourceMessages) => {
    const { deliver, republished } = await afterMinutes(minutes);

    for (const resourceMessage of resourceMessages) await deliver([resourceMessage]);

    expect(republished).toEqual([]);
  });

  it('does nothing after a warning, whose time may be long ago', async () => {
    const { deliver, republished, clock } = await afterMinutes(1);
    await deliver([observed('pending')]);
    clock.ms += 3_600_000;

    await deliver([spotWarning(900, { notice: 'stuck-launch' })]);

    expect(republished).toEqual([]);
  });

  it('does nothing while the outage goes on', async () => {
    const { worker, republished } = await afterMinutes(60);

    await worker({ publisher: { publish: async () => ({ acknowledged: [], failed: [] }) } })([
      observed('running'),
    ]);

    expect(republished).toEqual([]);
  });

  it('is done with what it told also where that fails, and tries it with the next', async () => {
    const { worker, republished, log } = await afterMinutes(60);
    let isDown = true;
    const requestRepublication = async ({ region }: { readonly region: string }) => {
      if (isDown) throw new UnavailableError('the table is down');
      republished.push(region);
    };
    const deliver = worker({ listings: { requestRepublication } });

    const failures = await deliver([observed('running')]);
    isDown = false;
    await deliver([observed('stopping', 20)]);

    expect([failures.size, republished]).toEqual([0, ['us-east-1']]);
    expect(log.lines).toContain('warn: a region could not be marked for republication after an outage');
  });

  it('tells of the instance at the same time', async () => {
    const { deliver, statuses } = await afterMinutes(60);

    await deliver([observed('running')]);

    expect(statuses(resourceId)).toEqual(['RUNNING']);
  });
});
