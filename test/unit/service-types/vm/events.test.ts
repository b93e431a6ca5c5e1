import { describe, expect, it } from 'vitest';
import { eventKindOf } from '../../../../shared/service-types/events.ts';
import { InstanceState } from '../../../../shared/service-types/vm/kind.ts';
import { type EventFixture, eventBridgeEvent } from '../../../fixtures/eventbridge.ts';
import {
  dcmId,
  halfPastTen,
  identity,
  observed,
  ourTags,
  resourceId,
} from '../../../fixtures/resource-messages.ts';

type Event = ReturnType<typeof eventBridgeEvent>;

const messagesOf = (name: EventFixture, change: Partial<Event> = {}) => {
  const event = eventBridgeEvent(name, change);
  return eventKindOf(event)?.toMessages(event, identity);
};
const from = { resourceId, region: 'us-east-1', account: '123456789012', at: halfPastTen };

describe('a state-change event', () => {
  it.each(InstanceState.options)('says that an instance was %s', (state) => {
    expect(messagesOf(`state-change-${state}`)).toEqual([observed(state)]);
  });

  it('may have blanks around the instance id, as AWS’s own sample has', () => {
    const detail = { 'instance-id': ` ${resourceId}`, state: 'running' };

    expect(messagesOf('state-change-running', { detail })).toEqual([observed('running')]);
  });

  it('may name a state in any case, or one that is not known (C19)', () => {
    const saying = (state: string) => ({ detail: { 'instance-id': resourceId, state } });

    expect(messagesOf('state-change-running', saying('Shutting-Down'))).toEqual([observed('shutting-down')]);
    expect(messagesOf('state-change-running', saying('rebooting'))).toEqual([
      observed('running', 0, { unrecognised: 'rebooting' }),
    ]);
  });

  it('may come from another partition', () => {
    const change = {
      region: 'cn-north-1',
      resources: [`arn:aws-cn:ec2:cn-north-1:123456789012:instance/${resourceId}`],
    };

    expect(messagesOf('state-change-running', change)).toEqual([
      observed('running', 0, { region: 'cn-north-1' }),
    ]);
  });

  it.each([
    {},
    { 'instance-id': resourceId },
    { state: 'running' },
    { 'instance-id': 'i-1', state: 'running' },
  ])('is none with the detail %j', (detail) => {
    expect(() => messagesOf('state-change-running', { detail })).toThrow();
  });
});

describe('a spot interruption warning', () => {
  it('announces what EC2 will do', () => {
    expect(messagesOf('spot-interruption')).toEqual([
      {
        kind: 'notice',
        ...from,
        notice: 'spot-interruption',
        text: 'spot interruption: EC2 will terminate it',
      },
    ]);
  });
});

describe('a spot interruption warning of another action', () => {
  it.each([
    ['stop', 'spot-stop'],
    ['hibernate', 'spot-hibernate'],
  ])('than terminate is a notice of its own: %s', (action, notice) => {
    const detail = { 'instance-id': resourceId, 'instance-action': action };

    expect(messagesOf('spot-interruption', { detail })).toEqual([
      { kind: 'notice', ...from, notice, text: `spot interruption: EC2 will ${action} it` },
    ]);
  });
});

describe('a rebalance recommendation', () => {
  it('is a notice', () => {
    expect(messagesOf('rebalance-recommendation')).toEqual([
      {
        kind: 'notice',
        ...from,
        notice: 'rebalance-recommendation',
        text: 'EC2 recommends to rebalance: a spot interruption is more likely',
      },
    ]);
  });
});

describe('a health event', () => {
  const notice = {
    kind: 'notice',
    ...from,
    notice: 'scheduled-change',
    text: 'AWS Health: AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED from Sat, 05 Sep 2026 09:01:10 GMT',
  };
  const { detail } = eventBridgeEvent('health-scheduled-change');

  it('is a notice for each instance that it affects, and for nothing else', () => {
    const other = 'i-0000000000000000a';
    const affectedEntities = [resourceId, 'vol-0123456789abcdef0', 'UNKNOWN', other].map((entityValue) => ({
      entityValue,
    }));

    expect(messagesOf('health-scheduled-change')).toEqual([notice]);
    expect(messagesOf('health-scheduled-change', { detail: { ...detail, affectedEntities } })).toEqual([
      notice,
      { ...notice, resourceId: other },
    ]);
  });

  it('may say neither when it starts nor whom it affects', () => {
    const { startTime: _, affectedEntities, ...rest } = detail;
    const text = 'AWS Health: AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED';

    expect(messagesOf('health-scheduled-change', { detail: { ...rest, affectedEntities } })).toEqual([
      { ...notice, text },
    ]);
    expect(messagesOf('health-scheduled-change', { detail: rest })).toEqual([]);
  });

  it.each([
    { what: 'the event is closed', change: { statusCode: 'closed' } },
    { what: 'the instance is RESOLVED', entity: { status: 'RESOLVED' } },
    { what: 'the instance is UNIMPAIRED', entity: { status: 'UNIMPAIRED' } },
  ])('withdraws its warning where $what', ({ change = {}, entity = {} }) => {
    const affectedEntities = [{ entityValue: resourceId, ...entity }];

    expect(
      messagesOf('health-scheduled-change', { detail: { ...detail, ...change, affectedEntities } }),
    ).toEqual([{ ...notice, notice: 'scheduled-change-closed', text: '' }]);
  });

  it.each(['upcoming', 'open'])('is a warning while it is %s', (statusCode) => {
    const affectedEntities = [{ entityValue: resourceId, status: 'PENDING' }];

    expect(
      messagesOf('health-scheduled-change', { detail: { ...detail, statusCode, affectedEntities } }),
    ).toEqual([notice]);
  });

  it('is about the region and the account in its detail, wherever it was delivered', () => {
    const delivered = { region: 'us-west-2', account: '999999999999' };
    const affected = { eventRegion: 'us-east-1', affectedAccount: from.account, backupEvent: 'True' };

    expect(
      messagesOf('health-scheduled-change', { ...delivered, detail: { ...detail, ...affected } }),
    ).toEqual([notice]);
  });

  it('is complete on each of its pages', () => {
    const pages = ['i-0000000000000000a', 'i-0000000000000000b'].map((entityValue, index) => ({
      ...detail,
      ...{ affectedEntities: [{ entityValue }], page: String(index + 1), totalPages: '2' },
    }));

    expect(pages.flatMap((page) => messagesOf('health-scheduled-change', { detail: page }))).toEqual([
      { ...notice, resourceId: 'i-0000000000000000a' },
      { ...notice, resourceId: 'i-0000000000000000b' },
    ]);
  });
});

describe('a tag change', () => {
  const tags = { ...ourTags, Name: 'web-1' };
  const arn = (id: string) => `arn:aws:ec2:us-east-1:123456789012:instance/${id}`;

  it('tells all tags of the instance, so that EC2 need not be asked', () => {
    expect(tags['dcm-instance-id']).toBe(dcmId);
    expect(messagesOf('tag-change')).toEqual([{ kind: 'tag-change', ...from, tags }]);
  });

  it('tells them for each of its resources', () => {
    const resources = [arn(resourceId), arn('i-1a2b3c4d')];

    expect(messagesOf('tag-change', { resources })).toMatchObject([
      { resourceId },
      { resourceId: 'i-1a2b3c4d' },
    ]);
  });

  it('may leave no tags', () => {
    const detail = { service: 'ec2', 'resource-type': 'instance' };

    expect(messagesOf('tag-change', { detail })).toMatchObject([{ tags: {} }]);
  });

  it('is none where its resource is no instance', () => {
    expect(() => messagesOf('tag-change', { resources: [arn('vol-0123456789abcdef0')] })).toThrow();
  });
});
