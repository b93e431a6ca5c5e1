import { describe, expect, it } from 'vitest';
import { askService, endReasons } from '../../../functions/normaliser/ask-service.ts';
import { UpstreamError } from '../../../shared/core/errors.ts';
import { vmKind } from '../../../shared/service-types/vm/kind.ts';
import type { Instance } from '../../../shared/service-types/vm/ports.ts';
import { servedVms } from '../../../shared/service-types/vm/served.ts';
import { described, scriptedInstances } from '../../fakes/scripted-instances.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';

const region = 'us-east-1';
const ids = (count: number) => Array.from({ length: count }, (_, n) => `i-${String(n).padStart(17, '0')}`);
const account = '123456789012';
const about = (resourceIds: readonly string[], where = region) =>
  resourceIds.map((resourceId) => ({ kind: vmKind, resourceId, region: where, account }));

const setup = (...known: Partial<Instance>[]) => {
  const instances = scriptedInstances(...known);
  const reasons = endReasons();
  const meter = countingMeter();
  const log = memoryLog();
  return {
    instances,
    reasons,
    meter,
    log,
    ask: askService({ types: [servedVms(instances)], reasons, meter, log }),
  };
};

describe('asking EC2', () => {
  it('costs nothing where there is nothing to ask', async () => {
    const { ask, instances, reasons } = setup();
    reasons.expect({ kind: vmKind, resourceId: 'i-1a2b3c4d', region, account });

    const answers = await ask([]);

    expect([answers.size, instances.calls]).toEqual([0, []]);
  });

  it('is one call a region, however often an instance is asked about', async () => {
    const { ask, instances, meter } = setup();

    await ask([...about(['i-a', 'i-b', 'i-a']), ...about(['i-c'], 'eu-west-1')]);

    expect(instances.calls).toEqual([['i-a', 'i-b'], ['i-c']]);
    expect(meter.counts.ec2Calls).toBe(2);
  });

  it('is answered with the instance, or that it is absent', async () => {
    const { ask } = setup({ resourceId: 'i-a' });

    const answers = await ask(about(['i-a', 'i-b']));

    expect(answers).toEqual(
      new Map<string, unknown>([
        ['i-a', described({ resourceId: 'i-a' })],
        ['i-b', 'absent'],
      ]),
    );
  });

  it('also asks why the instances of that region go that are shutting down', async () => {
    const reason = { code: 'Client.UserInitiatedShutdown' };
    const { ask, instances, reasons } = setup({ resourceId: 'i-b', state: 'shutting-down', reason });
    reasons.expect({ kind: vmKind, resourceId: 'i-b', region, account });
    reasons.expect({ kind: vmKind, resourceId: 'i-c', region: 'eu-west-1', account });

    await ask(about(['i-a']));

    expect(instances.calls).toEqual([['i-a', 'i-b']]);
    expect(reasons.reasonOf('i-b')).toEqual(reason);
  });

  it('names at most 199 instances in a call, and leaves none out that was asked about', async () => {
    const { ask, instances, reasons } = setup();
    for (const resourceId of ids(150))
      reasons.expect({ kind: vmKind, resourceId: `${resourceId}-going`, region, account });

    await ask(about(ids(100)));
    const answers = await ask(about(ids(450)));

    expect(instances.calls.map((call) => call.length)).toEqual([199, 199, 199, 52]);
    expect(answers.size).toBe(450);
  });

  it('has no answers where EC2 throttles the call, and warns of it (C44)', async () => {
    const { ask, instances, log } = setup({ resourceId: 'i-a' });
    instances.throttled = true;

    const answers = await ask(about(['i-a']));

    expect(answers.size).toBe(0);
    expect(log.lines).toEqual([expect.stringMatching(/^warn: a service did not describe/)]);
  });

  it('is asked about each instance alone where one of a zone that is down has it refuse the whole question', async () => {
    const { ask, instances } = setup({ resourceId: 'i-a' }, { resourceId: 'i-b' });
    const { describe: answer } = instances;
    instances.describe = (where, named, timeoutMs) =>
      named.includes('i-b')
        ? Promise.reject(new UpstreamError('EC2 in us-east-1 did not describe them: InternalError'))
        : answer.call(instances, where, named, timeoutMs);

    const answers = await ask(about(['i-a', 'i-b', 'i-c']));

    expect(answers).toEqual(
      new Map<string, unknown>([
        ['i-a', described({ resourceId: 'i-a' })],
        ['i-c', 'absent'],
      ]),
    );
  });
});
