import { describe, expect, it } from 'vitest';
import { readMessage } from '../../../functions/normaliser/read-message.ts';
import { UnavailableError } from '../../../shared/core/errors.ts';
import { targetKey } from '../../../shared/core/target.ts';
import { skippingFailedTargets } from '../../../shared/runtime/breaker.ts';
import { servedVms } from '../../../shared/service-types/vm/served.ts';
import { memoryVmRecords } from '../../fakes/memory-records.ts';
import { described, scriptedInstances } from '../../fakes/scripted-instances.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { eventBridgeEvent } from '../../fixtures/eventbridge.ts';
import {
  dcmId,
  halfPastTen,
  identity,
  observed,
  ourTags,
  resourceId,
} from '../../fixtures/resource-messages.ts';
import { awsAccount } from './account.ts';

const home = '123456789012';
const prod = '222222222222';
const accounts = { prod: { id: prod, regions: ['us-east-1'] } };
const second = 'i-0000000000000000b';

describe('an event', () => {
  const event = eventBridgeEvent('state-change-running');
  const read = (change: object) => {
    const meter = countingMeter();
    const settings = { regions: ['us-east-1', 'eu-west-1'], account: home, accounts };
    const reading = { ...identity, now: () => halfPastTen * 1000, log: memoryLog(), meter };
    return [
      readMessage({ ...settings, ...reading })(JSON.stringify({ ...event, ...change })).length,
      meter.counts,
    ];
  };

  it.each([
    ['of the home account', { account: home }, 1, {}],
    ['of another account that is configured', { account: prod }, 1, {}],
    [
      'of a region that only the home account has',
      { account: prod, region: 'eu-west-1' },
      0,
      { unreportedRegion: 1 },
    ],
    ['of an account that is not configured', { account: '999999999999' }, 0, { foreignAccount: 1 }],
  ])('%s', (_, change, messages, counts) => {
    expect(read(change)).toEqual([messages, counts]);
  });
});

it('what an event of one account says of a resource in another one is dropped', () => {
  const meter = countingMeter();
  const read = readMessage({
    ...{ regions: ['us-east-1'], account: home, accounts, ...identity },
    ...{ now: () => halfPastTen * 1000, log: memoryLog(), meter },
  });
  const event = eventBridgeEvent('health-scheduled-change');
  const of = (affectedAccount: string) => ({
    ...{ ...event, account: prod },
    detail: { ...event.detail, affectedAccount },
  });

  const messages = [prod, home].map((account) => read(JSON.stringify(of(account))).length);

  expect([messages, meter.counts]).toEqual([[1, 0], { foreignAccount: 1 }]);
});

/** Home and prod, whose regions have the same names; every instance carries the same DCM id. */
const twoAccounts = (tags = ourTags) => {
  const world = awsAccount();
  const logged: unknown[] = [];
  const keep = (_: string, fields: unknown) => void logged.push(fields);
  const log = { info: keep, warn: keep, error: keep };
  const records = memoryVmRecords(() => world.clock.ms);
  const asked: string[] = [];
  const down = new Set<string>();
  const ec2: Record<string, string> = { 'us-east-1': resourceId, [`${prod}/us-east-1`]: second };
  const instances: ReturnType<typeof scriptedInstances> = {
    ...scriptedInstances(),
    async describe(target, ids) {
      const key = targetKey(target);
      asked.push(key);
      if (down.has(key)) throw new UnavailableError(`EC2 in ${key} does not answer`);
      const account = target.account ?? home;
      const found = described({ resourceId: ec2[key] ?? '', account, tags, launchedAtMs: 0 });
      return new Map(ids.includes(found.resourceId) ? [[found.resourceId, found]] : []);
    },
  };
  const deliver = world.worker({ instances, records, homeAccount: home, accounts, log });
  return { ...world, records, asked, down, instances, deliver, logged };
};
const inProd = observed('running', 0, { resourceId: second, account: prod });

describe('two accounts with the same DCM id in their tags', () => {
  it('are asked about their own instances, and the second instance is a duplicate', async () => {
    const { deliver, asked, records, statuses, meter } = twoAccounts();

    await deliver([observed('running')]);
    await deliver([inProd]);

    expect(asked).toEqual(['us-east-1', `${prod}/us-east-1`]);
    expect([statuses(), statuses(second), meter.counts.duplicateOwner]).toEqual([['RUNNING'], [], 1]);
    expect(await records.read(dcmId)).toMatchObject({ resourceId, region: 'us-east-1' });
  });

  it('never pass the id on, even where the VM has ended', async () => {
    const { deliver, records, meter } = twoAccounts();
    await deliver([observed('running')]);
    await records.end(dcmId, resourceId);

    await deliver([inProd]);

    expect(meter.counts.duplicateOwner).toBe(1);
    expect(await records.read(dcmId)).toMatchObject({ resourceId });
  });

  it('do not hear what one says of the other’s instance', async () => {
    const { deliver, reported, meter, logged } = twoAccounts();
    await deliver([observed('running')]);

    const failures = await deliver([observed('terminated', 9, { account: prod })]);

    expect([failures.size, reported(dcmId), meter.counts.foreignAccount]).toEqual([0, ['RUNNING'], 1]);
    expect(logged).toContainEqual({ resourceId, region: 'us-east-1', account: prod });
  });

  it('are named in the log where the API does not take a DCM id', async () => {
    const { deliver, logged } = twoAccounts({ ...ourTags, 'dcm-instance-id': 'My VM/1' });

    await deliver([inProd]);

    expect(logged).toContainEqual(expect.objectContaining({ resourceId: second, region: 'prod/us-east-1' }));
  });
});

describe('a target that fails', () => {
  it('is skipped after two failures, asked once again later, and delays no other target', async () => {
    const { instances, asked, down } = twoAccounts();
    const clock = { ms: 0 };
    const { resources } = skippingFailedTargets(servedVms(instances), () => clock.ms);
    const [failing, well] = [{ region: 'us-east-1', account: prod }, { region: 'us-east-1' }];
    const ask = async (target: typeof failing | typeof well) =>
      resources.describe(target, [second], 500).then(
        () => true,
        () => false,
      );
    down.add(targetKey(failing));

    const answers = [await ask(failing), await ask(failing), await ask(failing), await ask(well)];
    expect([answers, asked]).toEqual([
      [false, false, false, true],
      [targetKey(failing), targetKey(failing), 'us-east-1'],
    ]);

    clock.ms += 2_000;
    down.clear();
    expect([await ask(failing), await ask(failing), asked.length]).toEqual([true, true, 5]);
  });
});
