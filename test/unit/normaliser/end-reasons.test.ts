import { describe, expect, it } from 'vitest';
import { endReasons } from '../../../functions/normaliser/ask-service.ts';
import { groupsOf } from '../../../functions/normaliser/read-message.ts';
import type { ResourceMessage } from '../../../shared/core/message.ts';
import type { Resource } from '../../../shared/core/resource.ts';
import { vmKind } from '../../../shared/service-types/vm/kind.ts';
import { described } from '../../fakes/scripted-instances.ts';
import { dcmId, observed, resourceId, spotWarning } from '../../fixtures/resource-messages.ts';

const region = 'us-east-1';
const reason = { code: 'Client.UserInitiatedShutdown' };
const vm: Resource = {
  kind: vmKind,
  resourceId,
  dcmId,
  region,
  account: '123456789012',
  sequence: 0,
  outbox: [],
  history: [],
};

const groupOf = (...resourceMessages: ResourceMessage[]) => {
  const [group] = groupsOf([{ messageId: 'm', isRetry: false, resourceMessages }]);
  if (!group) throw new Error('expected a lane');
  return group;
};

describe('why instances were terminated', () => {
  it('will be wanted of those that are shutting down, by region', () => {
    const reasons = endReasons();

    reasons.expect({ ...vm, resourceId: 'i-1a2b3c4d', region: 'eu-west-1' });
    reasons.expect(vm);

    expect(reasons.ending(vmKind, { region })).toEqual([resourceId]);
    expect(reasons.ending(vmKind, { region: 'eu-west-1' })).toEqual(['i-1a2b3c4d']);
  });

  it.each(['shutting-down', 'terminated'] as const)(
    'is learnt from a %s instance, and not wanted again',
    (state) => {
      const reasons = endReasons();
      reasons.expect(vm);

      reasons.learn(vmKind, described({ resourceId, state, reason }));
      reasons.expect(vm);

      expect(reasons.reasonOf(resourceId)).toEqual(reason);
      expect(reasons.ending(vmKind, { region })).toEqual([]);
    },
  );

  it.each(['pending', 'running', 'stopping', 'stopped'] as const)(
    'is not why it is %s: EC2 answers with the state before, or it was stopped',
    (state) => {
      const reasons = endReasons();
      reasons.expect(vm);

      reasons.learn(vmKind, described({ resourceId, state, reason }));

      expect(reasons.reasonOf(resourceId)).toBeUndefined();
      expect(reasons.ending(vmKind, { region })).toEqual([resourceId]);
    },
  );

  it('stays wanted where EC2 gives none', () => {
    const reasons = endReasons();
    reasons.expect(vm);

    reasons.learn(vmKind, described({ resourceId, state: 'terminated' }));

    expect(reasons.ending(vmKind, { region })).toEqual([resourceId]);
  });

  it('takes no more memory than one question can name instances (C66)', () => {
    const reasons = endReasons();

    for (let n = 0; n < 10_000; n++) reasons.expect({ ...vm, resourceId: `i-${n}` });

    expect(reasons.ending(vmKind, { region }).length).toBeLessThan(200);
    expect(reasons.ending(vmKind, { region })).toContain('i-9999');
  });
});

describe('a termination is unexplained', () => {
  it('where nobody said why', () => {
    expect(endReasons().isUnexplained(groupOf(observed('terminated')), vm)).toBe(true);
    expect(endReasons().isUnexplained(groupOf(observed('terminated')))).toBe(true);
  });

  it.each([
    { where: 'the instance lives', resourceMessages: [observed('shutting-down')], held: vm },
    {
      where: 'the observation says why',
      resourceMessages: [observed('terminated', 0, { reason })],
      held: vm,
    },
    {
      where: 'DCM asked for it',
      resourceMessages: [observed('terminated')],
      held: { ...vm, deleteRequested: true },
    },
    {
      where: 'it was told already, why or not',
      resourceMessages: [observed('terminated')],
      held: { ...vm, state: 'terminated' as const },
    },
  ])('not where $where', ({ resourceMessages, held }) => {
    expect(endReasons().isUnexplained(groupOf(...resourceMessages), held)).toBe(false);
  });

  it('not where EC2 said why', () => {
    const reasons = endReasons();
    reasons.learn(vmKind, described({ resourceId, state: 'terminated', reason }));

    expect(reasons.isUnexplained(groupOf(observed('terminated')), vm)).toBe(false);
  });

  it('also after a warning, for EC2’s reason decides', () => {
    const warned = { ...vm, notices: { 'spot-interruption': spotWarning() } };

    expect(endReasons().isUnexplained(groupOf(observed('terminated', 120), spotWarning()), vm)).toBe(true);
    expect(endReasons().isUnexplained(groupOf(observed('terminated', 120)), warned)).toBe(true);
  });
});
