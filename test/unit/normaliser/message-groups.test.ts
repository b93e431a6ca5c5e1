import { describe, expect, it } from 'vitest';
import {
  groupsOf,
  hasFinalState,
  hasObservation,
  type Message,
  newestTagChange,
  withoutSuperseded,
} from '../../../functions/normaliser/read-message.ts';
import type { ResourceMessage } from '../../../shared/core/message.ts';
import { vmKind } from '../../../shared/service-types/vm/kind.ts';
import { observed, resourceId, spotWarning, tagged } from '../../fixtures/resource-messages.ts';

const other = 'i-0000000000000000a';

const message = (messageId: string, ...resourceMessages: ResourceMessage[]): Message => ({
  messageId,
  isRetry: false,
  resourceMessages,
});
const groupOf = (...resourceMessages: ResourceMessage[]) => {
  const [group] = groupsOf([message('m', ...resourceMessages)]);
  if (!group) throw new Error('expected a lane');
  return group;
};

describe('lanes', () => {
  it('have what a batch tells about one instance, and the messages that told it', () => {
    const first = message('1', observed('running'));
    const second = message('2', observed('stopped', 0, { resourceId: other, region: 'eu-west-1' }));
    const third = message('3', spotWarning(5), spotWarning(5, { resourceId: other }));

    const groups = groupsOf([first, second, third]);

    expect(groups).toMatchObject([
      { resourceId, region: 'us-east-1', account: '123456789012', messages: [first, third] },
      { resourceId: other, region: 'eu-west-1', messages: [second, third] },
    ]);
  });

  it('are none where nothing is told', () => {
    expect(groupsOf([])).toEqual([]);
    expect(groupsOf([message('1')])).toEqual([]);
  });

  it('count a message once that tells two things about one instance', () => {
    expect(groupOf(observed('pending'), observed('running')).messages).toHaveLength(1);
  });

  it('go from old to new, by rank within one second, notices after the state they are about', () => {
    const { resourceMessages } = groupOf(
      observed('stopped', 20),
      spotWarning(10),
      observed('running', 10),
      observed('pending', 10),
      observed('stopping', 11),
    );

    expect(resourceMessages).toEqual([
      observed('pending', 10),
      observed('running', 10),
      spotWarning(10),
      observed('stopping', 11),
      observed('stopped', 20),
    ]);
  });

  it('know the newest tags, if any', () => {
    expect(newestTagChange(groupOf(tagged({ Name: 'new' }, 9), tagged({ Name: 'old' }, 3)))?.tags).toEqual({
      Name: 'new',
    });
    expect(newestTagChange(groupOf(observed('running')))).toBeUndefined();
  });

  it('know whether the instance was seen, and whether it ended', () => {
    const seen = groupOf(observed('running'), spotWarning());
    const ended = groupOf(observed('running'), observed('terminated', 9));
    const warned = groupOf(spotWarning());

    expect([seen, ended, warned].map(hasObservation)).toEqual([true, true, false]);
    expect([seen, ended, warned].map(hasFinalState)).toEqual([false, true, false]);
  });
});

describe('superseded states', () => {
  it('are those that another one of the same second follows', () => {
    const warning = spotWarning(10);
    const told = [observed('pending', 10), observed('running', 10), warning, observed('stopping', 11)];

    expect(withoutSuperseded(vmKind, told)).toEqual([
      observed('running', 10),
      warning,
      observed('stopping', 11),
    ]);
  });

  it('are not those of another second, nor repeats', () => {
    const told = [observed('pending', 9), observed('running', 10), observed('running', 10)];

    expect(withoutSuperseded(vmKind, told)).toEqual(told);
  });
});
